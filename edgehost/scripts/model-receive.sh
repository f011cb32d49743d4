#!/bin/sh
# Take a version's files from stdin into the folder aside. ASIDE
set -eu
need_tool tar
tar -x -f - -C "$ASIDE" --no-same-owner --no-same-permissions
