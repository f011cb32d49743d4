#!/bin/sh
# Report the sha256 of every file of a version. VERSION_PATH
set -eu
[ -d "$VERSION_PATH" ] || exit 0
echo "state present"
cd "$VERSION_PATH"
find . -type f ! -path ./manifest.sha256 | sort | while IFS= read -r file; do
  echo "file $(sha256_of "$file") ${file#./}"
done
