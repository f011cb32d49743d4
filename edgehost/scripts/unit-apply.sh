#!/bin/sh
# Make a systemd unit be as asked. UNIT UNIT_PATH HAS_CONTENT CONTENT ENABLED ACTIVE (true, false or empty: left alone)
# RESTART SECONDS_ALLOWED
set -eu
need_tool systemctl
remember_unit "$UNIT"
if [ "$HAS_CONTENT" = true ]; then
  keep_original "$UNIT_PATH"
  if [ -L "$UNIT_PATH" ] || ! printf '%s' "$CONTENT" | cmp -s - "$UNIT_PATH"; then
    printf '%s' "$CONTENT" | write_file "$UNIT_PATH" 0644 root root
    systemctl daemon-reload
  elif [ "$(systemctl show -p NeedDaemonReload --value "$UNIT")" = yes ]; then
    systemctl daemon-reload
  fi
fi
unit_known "$UNIT" || refuse unit-unknown "$UNIT"
if [ -n "$ENABLED" ] && [ "$(unit_enabled "$UNIT")" != "$ENABLED" ]; then
  if [ "$ENABLED" = true ]; then systemctl -q enable "$UNIT"; else systemctl -q disable "$UNIT"; fi
fi
case $ACTIVE in
  true)
    systemctl reset-failed "$UNIT" 2>/dev/null || true
    if [ "$RESTART" = true ]; then
      unit_must restart "$UNIT" "$SECONDS_ALLOWED"
    elif [ "$(unit_active "$UNIT")" != true ]; then
      unit_must start "$UNIT" "$SECONDS_ALLOWED"
    fi
    ;;
  false)
    if [ "$(unit_active "$UNIT")" = true ]; then unit_must stop "$UNIT" "$SECONDS_ALLOWED"; fi
    ;;
esac
