#!/bin/sh
# Report an artifact as it is. FILE_PATH LINKS (one a line)
set -eu
if [ -f "$FILE_PATH" ] && [ ! -L "$FILE_PATH" ]; then
  echo "state present"
  echo "mode $(stat -c %a "$FILE_PATH")"
  echo "sha256 $(sha256_of "$FILE_PATH")"
fi
printf '%s\n' "$LINKS" | sed '/^$/d' | while read -r link; do
  if [ "$(readlink "$link" 2>/dev/null)" = "$FILE_PATH" ]; then echo "link $link"; fi
done
