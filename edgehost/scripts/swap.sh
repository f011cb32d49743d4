#!/bin/sh
# What swaps on a host. Raspberry Pi OS makes its swap by a service of its own, other systems by fstab.
set -eu
SWAP_SERVICES='dphys-swapfile.service rpi-zram-writeback.timer systemd-zram-setup@zram0.service zramswap.service'
active_swap() {
  sed 1d /proc/swaps 2>/dev/null | while read -r area _; do echo "$area"; done
}

# boot_swap: lines of fstab and enabled services.
boot_swap() {
  awk '$1 !~ /^#/ && $3 == "swap" {print $1}' /etc/fstab 2>/dev/null || true
  for service in $SWAP_SERVICES; do
    if [ "$(unit_enabled "$service")" = true ]; then echo "$service"; fi
  done
}
