#!/bin/sh
# Take images out of a runtime. SOCKET KEEP (archives whose images stay, one a line)
set -eu
going=''
held=''
for brought in "$IMAGES_BROUGHT"/*; do
  [ -e "$brought" ] || continue
  name=$(basename "$brought")
  if printf '%s\n' "$KEEP" | grep -qxF "$name"; then
    held="$held$(cat "$brought")
"
  else
    going="$going $name"
  fi
done

# references_going: those of the archives that go, unless an archive that stays has them too.
references_going() {
  for name in $going; do cat "$IMAGES_BROUGHT/$name"; done | sort -u | grep -vxF "$held" || true
}

references=$(references_going)
if [ -n "$references" ] && [ -S "$SOCKET" ]; then
  if on_runtime images ls --quiet target.digest==none >/dev/null 2>&1; then
    # shellcheck disable=SC2086 # One word per reference is meant.
    release $references
  else
    printf '%s\n' "$references" | sed 's/^/left /'
  fi
fi
for name in $going; do rm -f "$IMAGES/$name" "$IMAGES/.$name" "$IMAGES_BROUGHT/$name" "$IMAGES_BROUGHT/.$name"; done
forget_empty_records
