#!/bin/sh
# Stop swapping, now and at every start.
set -eu
record_folder swap
active_swap | while read -r area; do
  if [ -e "$area" ]; then
    grep -qsx "$area" "$RECORDS/swap/areas" || echo "$area" >> "$RECORDS/swap/areas"
  fi
done
for service in $SWAP_SERVICES; do
  if [ "$(unit_enabled "$service")" = true ]; then
    echo "$service" >> "$RECORDS/swap/services"
    systemctl -q disable --now "$service"
  fi
done
if awk '$1 !~ /^#/ && $3 == "swap" {found = 1} END {exit !found}' /etc/fstab 2>/dev/null; then
  awk '$1 !~ /^#/ && $3 == "swap" {print "#kubevc# " $0; next} {print}' /etc/fstab |
    write_file /etc/fstab 0644 root root
  systemctl daemon-reload
fi
if [ -n "$(active_swap)" ]; then swapoff -a; fi
[ -z "$(active_swap)$(boot_swap)" ]
