#!/bin/sh
# Report whether an agent runs and could come back after a restart. UNIT IDENTITY_PATHS (one a line)
set -eu
admitted=true
while read -r path; do
  [ -f "$path" ] || admitted=false
done <<END
$IDENTITY_PATHS
END
echo "active $(unit_active "$UNIT")"
echo "admitted $admitted"
