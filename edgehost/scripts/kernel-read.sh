#!/bin/sh
# Report which features the kernel has now and at the next start. NAMES (one a line) FILE_PATH
set -eu
printf '%s\n' "$NAMES" | sed '/^$/d' | while read -r name; do
  case $(feature_state "$name") in
    built-in) echo "there $name" ;;
    loaded) if grep -qsx "$name" "$FILE_PATH"; then echo "there $name"; fi ;;
  esac
done
