#!/bin/sh
# Report the sha256 of every file of a version. VERSION_PATH
set -eu
[ -d "$VERSION_PATH" ] || exit 0
echo "state present"
cd "$VERSION_PATH"
find . -type f ! -path ./manifest.sha256 -exec sha256sum {} + | sed 's#^\([0-9a-f]*\)  \./#file \1 #' | sort -k3
