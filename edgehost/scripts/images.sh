#!/bin/sh
# Images of a container runtime, and the host's own record of which archive brought which of them.
set -eu
# IMAGES/NAME is there when all images of an archive are: its sha256, then lines of a reference and the digest behind it.
# IMAGES_BROUGHT/NAME lists every reference that any version of the archive ever brought: what a delete takes away.
# shellcheck disable=SC2034 # The scripts of this family use it.
IMAGES="$RECORDS/images"
# shellcheck disable=SC2034 # The same.
IMAGES_BROUGHT="$RECORDS/images-brought"

# on_runtime ARGUMENTS: ask containerd about the images of Kubernetes. Without a socket ctr would go on dialling.
on_runtime() {
  [ -S "$SOCKET" ] && ctr --address "$SOCKET" --connect-timeout 5s --namespace k8s.io "$@"
}

# digests FILTER...: print the digest behind each image; the columns after it have spaces in them.
digests() {
  on_runtime images ls "$@" | awk 'NR > 1 {for (i = 2; i <= NF; i++) if ($i ~ /^sha256:/) {print $i; break}}'
}

# release REFERENCE...: take references away. The kubelet's interface gives every image a second name, sha256:ID, which
# would hold the content for ever; it goes with the last of the others.
release() {
  # shellcheck disable=SC2046 # One word per reference is meant.
  behind=$(digests $(printf 'name==%s ' "$@") | sort -u)
  on_runtime images rm --sync "$@" >/dev/null
  for digest in $behind; do
    names=$(on_runtime images ls --quiet "target.digest==$digest")
    if [ -n "$names" ] && ! printf '%s\n' "$names" | grep -qv '^sha256:'; then
      # shellcheck disable=SC2086 # One word per name is meant.
      on_runtime images rm --sync $names >/dev/null
    fi
  done
}
