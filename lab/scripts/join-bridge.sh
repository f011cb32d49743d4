#!/bin/bash
# Make a virtual machine's port part of the instance's network; qemu calls it with the port's name.  In: BRIDGE.
# The port is qemu's own and ends with it, so nothing has to be undone.
set -euo pipefail

ip link set "$1" master "$BRIDGE" up
