#!/bin/bash
# Boot one host under systemd-nspawn and stay until it is off.  Runs in the host's control groups and in a mount
# namespace of its own, so that the root tree's mount is nobody else's and ends with the host.
# In: HOST (name), FOLDER (with upper, work, root, disks), LAYERS (root tree, colon separated), NAMESPACE (network),
# MACHINE (unique name), DISKS (folders of the host that lie on this machine's own file system, space separated),
# UNIFIED (1 on a cgroup v2 machine, else 0).
set -euo pipefail

root=$FOLDER/root
mount -t overlay "$MACHINE" -o "lowerdir=$LAYERS,upperdir=$FOLDER/upper,workdir=$FOLDER/work" "$root"

# An overlay cannot lie on an overlay, so what containerd and the NFS server keep needs a real file system below.
binds=()
for disk in $DISKS; do
    kept=$FOLDER/disks$disk
    if [ ! -d "$kept" ]; then
        mkdir -p "$(dirname "$kept")" "$root$disk"
        rm -rf "$kept.partial"
        cp -a "$root$disk" "$kept.partial"
        mv "$kept.partial" "$kept"
    fi
    binds+=("--bind=$kept:$disk")
done

devices=()
for device in /dev/fuse /dev/kmsg /dev/loop-control /dev/net/tun; do
    if [ -e "$device" ]; then devices+=("--bind=$device"); fi
done

export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=$UNIFIED SYSTEMD_NSPAWN_LOCK=0
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes SYSTEMD_NSPAWN_USE_CGNS=1
exec systemd-nspawn --boot --directory="$root" --machine="$MACHINE" --hostname="$HOST" --register=no --keep-unit \
    --network-namespace-path="/run/netns/$NAMESPACE" --capability=all --system-call-filter=@known \
    --resolv-conf=off --timezone=off --link-journal=no "${binds[@]}" "${devices[@]}"
