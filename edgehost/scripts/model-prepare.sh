#!/bin/sh
# Make a folder aside for a version that is about to come. VERSION_PATH ASIDE SIZE_BYTES
set -eu
model=$(dirname "$VERSION_PATH")
make_folders "$model"
# What a broken run left: no server ever saw it.
rm -rf "$model/.incoming-$(basename "$VERSION_PATH")-"* "$model/.outgoing-$(basename "$VERSION_PATH")-"*
need_space "$model" "$SIZE_BYTES"
mkdir -m 0755 "$ASIDE"
