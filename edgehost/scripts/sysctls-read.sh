#!/bin/sh
# Report live values and what the file says. KEYS (one a line) CONTENT FILE_PATH
set -eu
printf '%s\n' "$KEYS" | sed '/^$/d' | while read -r key; do
  if [ -e "$(sysctl_path "$key")" ]; then
    echo "live $key $(sysctl_value "$key")"
  fi
done
if printf '%s' "$CONTENT" | cmp -s - "$FILE_PATH"; then echo "persistent true"; fi
