#!/bin/sh
# Report a file as it is. FILE_PATH
set -eu
if [ -L "$FILE_PATH" ] || [ ! -f "$FILE_PATH" ]; then
  echo "state absent"
  exit 0
fi
echo "state present"
echo "mode $(stat -c %a "$FILE_PATH")"
echo "owner $(stat -c %U "$FILE_PATH")"
echo "group $(stat -c %G "$FILE_PATH")"
echo "content $(base64 -w0 "$FILE_PATH")"
