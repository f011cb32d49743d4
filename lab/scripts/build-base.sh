#!/bin/bash
# Build a Debian root tree in PARTIAL/tree.
# In: PARTIAL (an empty folder), SUITE, MIRROR, SECURITY_MIRROR, PACKAGES (comma separated), PROXY (URL of the lab's
# apt cache).
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive LC_ALL=C http_proxy=$PROXY
tree=$PARTIAL/tree
debootstrap --variant=minbase --include="$PACKAGES" "$SUITE" "$tree" "$MIRROR"

cat > "$tree/etc/apt/sources.list" <<SOURCES
deb $MIRROR $SUITE main
deb $MIRROR $SUITE-updates main
deb $SECURITY_MIRROR $SUITE-security main
SOURCES

# Nothing that names one host may be shared by all of them.
rm -f "$tree"/etc/ssh/ssh_host_* "$tree/etc/hostname" "$tree/etc/resolv.conf" "$tree/var/lib/dbus/machine-id"
: > "$tree/etc/machine-id"
rm -rf "$tree"/var/cache/apt/*.bin "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/*
rm -rf "$tree"/var/log/*.log "$tree"/var/log/apt
