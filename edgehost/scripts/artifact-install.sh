#!/bin/sh
# After an upload: check it and give it its place. FILE_PATH SHA256 MODE LINKS
set -eu
if ! is_installed "$FILE_PATH" "$SHA256"; then
  install_part "$FILE_PATH" "$SHA256"
fi
finish_artifact "$FILE_PATH" "$MODE" "$LINKS"
