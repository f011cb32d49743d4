#!/bin/busybox sh
# shellcheck shell=dash
# The first program of a virtual machine: find the disk, make it this host at its first boot, go on from it.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*; do insmod "$module"; done

tries=0
while [ ! -b /dev/vda ] && [ "$tries" -lt 100 ]; do
    usleep 100000
    tries=$((tries + 1))
done
if ! mount -t ext4 /dev/vda /disk; then
    echo "vm-init: the disk cannot be mounted"
    poweroff -f
fi

if [ ! -e /disk/etc/hostname ]; then
    cp -a /identity/. /disk/
    sync
fi
exec switch_root /disk /sbin/init
