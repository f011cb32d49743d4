#!/bin/sh
# Report whether a unit runs, and its last lines. UNIT
set -eu
echo "active $(unit_active "$UNIT")"
journalctl -u "$UNIT" -n 12 --no-pager -o cat 2>/dev/null | sed 's/^/line /' || true
