#!/bin/sh
# Report whether an agent runs and could come back after a restart. UNIT TOKEN_FILE IDENTITY_PATH
set -eu
echo "active $(unit_active "$UNIT")"
if [ -f "$TOKEN_FILE" ] && [ -f "$IDENTITY_PATH" ]; then echo "admitted true"; fi
