#!/bin/sh
# Report what the host is. Needs nothing but sh and coreutils: it runs before any package is installed.
set -eu
# A statement per fact, so that one that cannot be read leaves the others.
# shellcheck source=/dev/null
os_name=$(. /etc/os-release 2>/dev/null && printf '%s' "${PRETTY_NAME:-}") || os_name=''
memory_kib=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
echo "now $(date +%s.%N)"
echo "machine $(uname -m)"
echo "user-bits $(getconf LONG_BIT 2>/dev/null || echo '')"
echo "kernel $(uname -r)"
echo "os-name $os_name"
echo "memory-mib $((memory_kib / 1024))"
echo "disk-free-mib $(df -Pm /var | awk 'NR == 2 {print $4}')"
echo "cpu-count $(nproc)"
echo "hostname $(uname -n)"
sed 1d /proc/swaps 2>/dev/null | while read -r area _; do
  echo "swap $area"
done
sed 1d /proc/net/route 2>/dev/null | while read -r interface destination _ _ _ _ _ mask _; do
  echo "route $interface $destination $mask"
done
active_controllers | while read -r controller; do
  echo "controller $controller"
done
if command -v apt-get >/dev/null 2>&1; then echo "apt true"; fi
if [ -d /run/systemd/system ]; then echo "systemd true"; fi
if [ -f /proc/device-tree/model ]; then echo "model $(tr -d '\000' < /proc/device-tree/model)"; fi
