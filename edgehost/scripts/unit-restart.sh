#!/bin/sh
# Enable a unit and start it anew, without waiting for it. UNIT
set -eu
unit_known "$UNIT" || refuse unit-unknown "$UNIT"
[ "$(unit_enabled "$UNIT")" = true ] || systemctl -q enable "$UNIT"
systemctl reset-failed "$UNIT" 2>/dev/null || true
systemctl restart --no-block "$UNIT"
