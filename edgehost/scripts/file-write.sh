#!/bin/sh
# Make a file be as asked. FILE_PATH CONTENT MODE OWNER GROUP
set -eu
keep_original "$FILE_PATH"
is_right() {
  [ ! -L "$FILE_PATH" ] && [ -f "$FILE_PATH" ] || return 1
  printf '%s' "$CONTENT" | cmp -s - "$FILE_PATH" || return 1
  [ "$(stat -c %U:%G "$FILE_PATH")" = "$OWNER:$GROUP" ] || return 1
  [ "$(printf '%04d' "$(stat -c %a "$FILE_PATH")")" = "$MODE" ]
}
if ! is_right; then
  printf '%s' "$CONTENT" | write_file "$FILE_PATH" "$MODE" "$OWNER" "$GROUP"
fi
is_right
