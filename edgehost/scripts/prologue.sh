#!/bin/sh
# What every step stands on: strict mode, a known PATH, and refusals that the provider can read.
set -eu
umask 022
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
DEBIAN_FRONTEND=noninteractive
export LC_ALL PATH DEBIAN_FRONTEND

# refuse KIND DETAIL...: end the step with a condition that the provider has a message for.
refuse() {
  printf 'kubevc-refusal %s\n' "$*" >&2
  exit 90
}

# need_tool NAME: refuse when a command is not there.
need_tool() {
  command -v "$1" >/dev/null 2>&1 || refuse tool-missing "$1"
}
