#!/bin/sh
# Swap again as before. fstab may have new lines since, so that only ours are taken back.
set -eu
if grep -qs '^#kubevc# ' /etc/fstab; then
  sed 's/^#kubevc# //' /etc/fstab | write_file /etc/fstab 0644 root root
  systemctl daemon-reload
fi
if [ -e "$RECORDS/swap/services" ]; then
  while read -r service; do systemctl -q enable --now "$service"; done < "$RECORDS/swap/services"
fi
if [ -e "$RECORDS/swap/areas" ]; then
  while read -r area; do
    if ! active_swap | grep -qx "$area" && [ -e "$area" ]; then swapon "$area"; fi
  done < "$RECORDS/swap/areas"
fi
rm -f "$RECORDS/swap/services" "$RECORDS/swap/areas"
forget_empty_records
