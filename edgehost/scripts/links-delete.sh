#!/bin/sh
# Remove symbolic links to an artifact. FILE_PATH LINKS
set -eu
printf '%s\n' "$LINKS" | sed '/^$/d' | while read -r link; do
  if [ ! -e "$link" ] || [ "$(readlink "$link")" = "$FILE_PATH" ]; then restore_original "$link"; fi
done
