#!/bin/sh
# Check the files aside, sync them, and give them their place. VERSION_PATH ASIDE OUTGOING MANIFEST (`sha256  path` lines)
set -eu
cd "$ASIDE"
if ! printf '%s' "$MANIFEST" | sha256sum --quiet --strict -c - >&2; then
  cd /
  rm -rf "$ASIDE"
  exit 1
fi
printf '%s' "$MANIFEST" > manifest.sha256
find . -type d -exec chmod 0755 {} +
find . -type f -exec chmod 0644 {} +
sync -f .
cd /
if [ -e "$VERSION_PATH" ]; then mv -T "$VERSION_PATH" "$OUTGOING"; fi
mv -T "$ASIDE" "$VERSION_PATH"
sync -f "$(dirname "$VERSION_PATH")"
rm -rf "$OUTGOING"
