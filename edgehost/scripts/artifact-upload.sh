#!/bin/sh
# Take an artifact from stdin. FILE_PATH
set -eu
make_folders "$(dirname "$FILE_PATH")"
part=$(part_path "$FILE_PATH")
if ! cat > "$part"; then
  rm -f "$part"
  remove_folders "$(dirname "$FILE_PATH")"
  exit 1
fi
