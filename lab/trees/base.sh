#!/bin/bash
# nfs-common brings its own mount.nfs, for the kernel's client; the diversions leave the lab's in place (docs/lab.md).
set -euo pipefail

for helper in /sbin/mount.nfs /sbin/mount.nfs4; do
    dpkg-divert --local --no-rename --add --divert "$helper.kernel" "$helper" > /dev/null
    ln -sfn /usr/local/lib/kubevc-nfs/mount.nfs "$helper"
done
