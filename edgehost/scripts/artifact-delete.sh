#!/bin/sh
# Remove an artifact and the links to it. FILE_PATH LINKS
set -eu
printf '%s\n' "$LINKS" | sed '/^$/d' | while read -r link; do
  if [ ! -e "$link" ] || [ "$(readlink "$link")" = "$FILE_PATH" ]; then restore_original "$link"; fi
done
rm -f "$(part_path "$FILE_PATH")"
restore_original "$FILE_PATH"
