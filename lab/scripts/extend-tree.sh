#!/bin/bash
# Add packages and files to a root tree, without starting services; the difference is left in PARTIAL/upper.
# In: PARTIAL (folder with tree, upper, work), LAYERS (the parent's layers, colon separated), PACKAGES (space
# separated; may be empty), FILES (folder copied over the result), FINISH (script run within the result; may be
# missing), PROXY (URL of the lab's apt cache).
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
tree=$PARTIAL/tree
mount -t overlay lab -o "lowerdir=$LAYERS,upperdir=$PARTIAL/upper,workdir=$PARTIAL/work" "$tree"
mount -t proc proc "$tree/proc"

install_packages() {
    # Policy 101 forbids package scripts to start anything; the file is gone again before a host boots.
    printf '#!/bin/sh\nexit 101\n' > "$tree/usr/sbin/policy-rc.d"
    chmod +x "$tree/usr/sbin/policy-rc.d"
    local apt=(chroot "$tree" apt-get -o "Acquire::http::Proxy=$PROXY")
    "${apt[@]}" update -qq
    "${apt[@]}" install -qq -y --no-install-recommends "$@" > /dev/null
    rm -f "$tree/usr/sbin/policy-rc.d"
    rm -rf "$tree"/var/cache/apt/*.bin "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/*
    rm -rf "$tree"/var/log/*.log "$tree"/var/log/apt
}

IFS=" " read -ra names <<< "$PACKAGES"
if [ "${#names[@]}" -gt 0 ]; then install_packages "${names[@]}"; fi
cp -a --no-preserve=ownership "$FILES/." "$tree/"
if [ -f "$FINISH" ]; then chroot "$tree" bash -s < "$FINISH"; fi
umount "$tree/proc"
umount "$tree"
