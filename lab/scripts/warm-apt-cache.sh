#!/bin/bash
# Fetch packages and their dependencies into the lab's apt cache, as a bare host would ask for them; install nothing.
# In: LAYERS (layers of the bare root tree, colon separated), PACKAGES (space separated), PROXY (URL of the apt cache).
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
# The mount namespace is this script's own, so the memory and the mounts go with it.
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/tree
mount -t overlay lab -o "lowerdir=$LAYERS,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/tree

IFS=" " read -ra names <<< "$PACKAGES"
apt=(chroot /mnt/tree apt-get -o "Acquire::http::Proxy=$PROXY")
"${apt[@]}" update -qq
"${apt[@]}" install -qq -y --download-only --no-install-recommends "${names[@]}" > /dev/null
