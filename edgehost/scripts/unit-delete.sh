#!/bin/sh
# Leave a systemd unit as it was before us. UNIT UNIT_PATH HAS_CONTENT
set -eu
previous=$(cat "$RECORDS/units/$UNIT" 2>/dev/null || echo 'false false')
was_enabled=${previous% *}
was_active=${previous#* }
if [ "$HAS_CONTENT" = true ]; then
  if unit_known "$UNIT"; then unit_must stop "$UNIT" 120; fi
  systemctl -q disable "$UNIT" 2>/dev/null || true
  # The folders that it names as its own (StateDirectory= and the like) go with it; systemd removes no other.
  systemctl clean --what=state --what=runtime --what=cache "$UNIT" 2>/dev/null || true
  restore_original "$UNIT_PATH"
  systemctl daemon-reload
  systemctl reset-failed "$UNIT" 2>/dev/null || true
fi
if unit_known "$UNIT"; then
  if [ "$(unit_enabled "$UNIT")" != "$was_enabled" ]; then
    if [ "$was_enabled" = true ]; then systemctl -q enable "$UNIT"; else systemctl -q disable "$UNIT"; fi
  fi
  if [ "$(unit_active "$UNIT")" != "$was_active" ]; then
    if [ "$was_active" = true ]; then unit_must start "$UNIT" 120; else unit_must stop "$UNIT" 120; fi
  fi
fi
rm -f "$RECORDS/units/$UNIT"
forget_empty_records
