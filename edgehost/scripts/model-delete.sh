#!/bin/sh
# Take a version away in one step, then remove it. VERSION_PATH ASIDE
set -eu
model=$(dirname "$VERSION_PATH")
if [ -e "$VERSION_PATH" ]; then mv -T "$VERSION_PATH" "$ASIDE"; fi
rm -rf "$model/.incoming-$(basename "$VERSION_PATH")-"* "$model/.outgoing-$(basename "$VERSION_PATH")-"*
remove_folders "$model"
