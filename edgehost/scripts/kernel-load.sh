#!/bin/sh
# Load the features that are modules, now and at every start. NAMES (one a line) FILE_PATH
set -eu
record_folder kernel
modules=''
for name in $(printf '%s\n' "$NAMES"); do
  state=$(feature_state "$name")
  if [ "$state" = missing ]; then
    if ! modprobe -q "$name" 2>/dev/null || ! is_module_loaded "$name"; then refuse kernel-feature "$name"; fi
    echo "$name" >> "$RECORDS/kernel/loaded"
    state=loaded
  fi
  if [ "$state" = loaded ]; then modules="$modules$name
"; fi
done
if [ -n "$modules" ]; then
  keep_original "$FILE_PATH"
  if ! printf '%s' "$modules" | cmp -s - "$FILE_PATH"; then
    printf '%s' "$modules" | write_file "$FILE_PATH" 0644 root root
  fi
elif [ -e "$FILE_PATH" ]; then
  restore_original "$FILE_PATH"
fi
