#!/bin/sh
# Report which of the packages are installed. NAMES (one a line)
set -eu
printf '%s\n' "$NAMES" | sed '/^$/d' | while read -r name; do
  status=$(dpkg-query -W -f='${db:Status-Abbrev}' "$name" 2>/dev/null) || status=''
  case $status in
    ?i*) echo "installed $name" ;;
  esac
done
