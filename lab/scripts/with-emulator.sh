#!/bin/bash
# Run a command while this machine runs programs of a foreign architecture: with-emulator.sh ARCHITECTURE COMMAND...
# The kernel hands such programs to qemu's user mode.  The registration ends with the command; `forget-emulators.sh`
# removes what a killed one leaves.
set -euo pipefail

architecture=$1
shift
case $architecture in
    arm64)
        interpreter=/usr/bin/qemu-aarch64-static
        magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
        ;;
    amd64)
        interpreter=/usr/bin/qemu-x86_64-static
        magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00'
        ;;
    *)
        echo "there is no emulator for $architecture" >&2
        exit 2
        ;;
esac
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'

formats=/proc/sys/fs/binfmt_misc
entry=$formats/kubevc-$architecture
if [ ! -e "$formats/register" ]; then mount -t binfmt_misc binfmt_misc "$formats"; fi
forget() { if [ -e "$entry" ]; then echo -1 > "$entry"; fi; }
forget
trap forget EXIT
# F opens the interpreter now, so that it works in a root tree that does not have it.
echo ":kubevc-$architecture:M::$magic:$mask:$interpreter:FOCP" > "$formats/register"
"$@"
