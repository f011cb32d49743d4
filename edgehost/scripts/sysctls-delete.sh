#!/bin/sh
# Set the settings back to what they were, and remove the file. FILE_PATH
# The other way round than they were set: a general setting such as ip_forward resets the ones below it.
set -eu
if [ -e "$RECORDS/sysctls/previous" ]; then
  tac "$RECORDS/sysctls/previous" | cut -d' ' -f1 | while read -r key; do
    restore_sysctl "$key"
  done
  rm -f "$RECORDS/sysctls/previous"
fi
restore_original "$FILE_PATH"
