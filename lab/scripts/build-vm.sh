#!/bin/bash
# Build what virtual machines of one architecture start from, in PARTIAL/result: disk.img (a root file system),
# vmlinuz, busybox, and modules (those that find and mount the disk, named in the order of loading).
# In: PARTIAL (an empty folder), ARCHITECTURE, EMULATOR (the command that lets this machine run the tree's programs;
# may be empty), SUITE, MIRROR, SECURITY_MIRROR, PACKAGES (comma separated), FILES (folder copied over the tree), DISK_SIZE,
# PROXY (URL of the lab's apt cache).
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive LC_ALL=C http_proxy=$PROXY
tree=$PARTIAL/tree result=$PARTIAL/result
mkdir -p "$tree" "$result/modules"

make_tree() {
    local emulated
    IFS=" " read -ra emulated <<< "$EMULATOR"
    "${emulated[@]}" debootstrap --arch="$ARCHITECTURE" --variant=minbase --include="$PACKAGES" \
        "$SUITE" "$tree" "$MIRROR"
    printf 'deb %s main\n' "$MIRROR $SUITE" "$MIRROR $SUITE-updates" "$SECURITY_MIRROR $SUITE-security" \
        > "$tree/etc/apt/sources.list"
}

# This machine's apt and depmod do this work natively; under emulation it would take many times as long, and the
# package's own initramfs-tools more than all the rest.
add_kernel() {
    local settings=(-o "Dir=$tree" -o Dir::Bin::methods=/usr/lib/apt/methods -o "APT::Architecture=$ARCHITECTURE"
        -o "APT::Architectures=$ARCHITECTURE" -o APT::Sandbox::User=root -o "Acquire::http::Proxy=$PROXY")
    apt-get "${settings[@]}" -qq update
    local package
    package=$(apt-cache "${settings[@]}" depends "linux-image-$ARCHITECTURE" |
        sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')
    (cd "$PARTIAL" && apt-get "${settings[@]}" -qq download "$package")
    # In a minbase tree /lib is a link into /usr; the package's folder of that name must not take its place.
    dpkg-deb --fsys-tarfile "$PARTIAL/$package"_*.deb | tar -x --keep-directory-symlink -C "$tree"
    version=$(basename "$tree"/lib/modules/*)
    depmod -b "$tree" "$version"
}

collect_boot_files() {
    cp "$tree/boot/vmlinuz-$version" "$result/vmlinuz"
    cp "$tree/bin/busybox" "$result/busybox"
    local number=10 file
    while read -r file; do
        cp "$file" "$result/modules/$number-$(basename "$file")"
        number=$((number + 1))
    done < <(for module in virtio_pci virtio_blk virtio_net ext4; do
        modprobe -d "$tree" -S "$version" --show-depends "$module"
    done | awk '$1 == "insmod" && !seen[$2]++ {print $2}')
}

finish_tree() {
    cp -a --no-preserve=ownership "$FILES/." "$tree/"
    systemctl --root="$tree" --quiet enable systemd-networkd
    # Nothing that names one host may be shared by all of them.  A missing host name marks a first boot (vm-init.sh).
    rm -f "$tree"/etc/ssh/ssh_host_* "$tree/etc/hostname" "$tree/etc/resolv.conf" "$tree/var/lib/dbus/machine-id"
    : > "$tree/etc/machine-id"
    rm -rf "$tree"/var/cache/apt/*.bin "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/*
    rm -rf "$tree"/var/log/*.log "$tree"/var/log/apt
}

make_tree
add_kernel
collect_boot_files
finish_tree
mke2fs -q -t ext4 -E lazy_itable_init=0 -d "$tree" "$result/disk.img" "$DISK_SIZE"
