#!/bin/sh
# Asking systemd about a unit.
set -eu
unit_enabled() {
  case $(systemctl is-enabled "$1" 2>/dev/null || true) in
    enabled | enabled-runtime) echo true ;;
    *) echo false ;;
  esac
}

unit_active() {
  case $(systemctl is-active "$1" 2>/dev/null || true) in
    active | reloading) echo true ;;
    *) echo false ;;
  esac
}

# unit_known UNIT: whether systemd can load it.
unit_known() {
  [ "$(systemctl show -p LoadState --value "$1")" = loaded ] ||
    [ "$(systemctl show -p LoadState --value "$1")" = masked ]
}

# unit_must ACTION UNIT SECONDS: do it within the time, or refuse with the unit's last lines.
unit_must() {
  if ! timeout "$3" systemctl "$1" "$2" >/dev/null 2>&1; then
    lines=$(journalctl -u "$2" -n 12 --no-pager -o cat 2>/dev/null | tr '\n' '\001' | sed 's/\x01/\\n/g')
    refuse unit-failed "$2" "$lines"
  fi
}

# remember_unit UNIT: note whether it was enabled and active before us; only the first call counts.
remember_unit() {
  record_folder units
  [ -e "$RECORDS/units/$1" ] || echo "$(unit_enabled "$1") $(unit_active "$1")" > "$RECORDS/units/$1"
}
