#!/bin/sh
# Unload what we loaded, as far as nothing uses it, and forget it for the next start. FILE_PATH
set -eu
if [ -e "$RECORDS/kernel/loaded" ]; then
  tac "$RECORDS/kernel/loaded" | while read -r name; do
    modprobe -q -r "$name" 2>/dev/null || true
  done
  rm -f "$RECORDS/kernel/loaded"
fi
restore_original "$FILE_PATH"
