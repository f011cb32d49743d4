#!/bin/sh
# Report a systemd unit as it is. UNIT UNIT_PATH
set -eu
if [ -f "$UNIT_PATH" ] && [ ! -L "$UNIT_PATH" ]; then
  echo "content $(base64 -w0 "$UNIT_PATH")"
fi
echo "enabled $(unit_enabled "$UNIT")"
echo "active $(unit_active "$UNIT")"
