#!/bin/sh
# Before an upload: say whether it is needed, and refuse if there is no room. FILE_PATH SHA256 SIZE_BYTES
set -eu
folder=$(dirname "$FILE_PATH")
if is_installed "$FILE_PATH" "$SHA256"; then
  echo "installed true"
  exit 0
fi
while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
need_space "$folder" "$SIZE_BYTES"
