#!/bin/sh
# Report what swaps now and what would swap at the next start.
set -eu
active_swap | sed 's/^/active /'
boot_swap | sed 's/^/boot /'
