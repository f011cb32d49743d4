#!/bin/bash
# Remove the registrations that a killed `with-emulator.sh` has left; those of other programs stay.
set -euo pipefail

formats=/proc/sys/fs/binfmt_misc
if [ ! -e "$formats/register" ]; then
    # Without the file system there is nothing to forget; a mount here ends with this script's mount namespace.
    mount -t binfmt_misc binfmt_misc "$formats" 2> /dev/null || exit 0
fi
for entry in "$formats"/kubevc-*; do
    if [ -e "$entry" ]; then echo -1 > "$entry"; fi
done
