#!/bin/sh
# Install what is missing and record what was added. RECORD_NAME NAMES (one a line)
set -eu
need_tool apt-get
record_folder packages
record="$RECORDS/packages/$RECORD_NAME"

missing_packages() {
  printf '%s\n' "$NAMES" | sed '/^$/d' | while read -r name; do
    status=$(dpkg-query -W -f='${db:Status-Abbrev}' "$name" 2>/dev/null) || status=''
    case $status in
      ?i*) ;;
      *) echo "$name" ;;
    esac
  done
}

installed_packages() {
  # A foreign architecture's package is another package, so the name carries the architecture.
  dpkg-query -W -f='${db:Status-Abbrev} ${binary:Package}\n' | sed -n 's/^.i. *//p' | sort
}

# Debian leaves a package's system accounts behind when it is purged, so we remember which ones came with ours.
accounts() {
  getent "$1" | cut -d: -f1 | sort
}

apt() {
  NEEDRESTART_MODE=l apt-get -qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" >"$record.log" 2>&1
}

# What apt said goes to stderr only when it failed.
show_log() {
  tail -n 15 "$record.log" >&2
  rm -f "$record.log"
}

install_missing() {
  # shellcheck disable=SC2046 # One word per package is meant.
  apt --no-install-recommends install -y $(missing_packages)
}

lists_are_fresh() {
  [ -n "$(find /var/lib/apt/lists -name '*Packages*' -mmin -1440 2>/dev/null | head -n 1)" ]
}

if [ -n "$(missing_packages)" ]; then
  # A run that died after this line left the list behind; it still tells what was there before us.
  if [ ! -e "$record.before" ]; then
    accounts passwd > "$record.passwd-before"
    accounts group > "$record.group-before"
    installed_packages > "$record.new"
    mv "$record.new" "$record.before"
  fi
  [ -e "$record.folders" ] || { ls -d /var/lib/* /run/*; find /etc -type d; } > "$record.folders"
  lists_are_fresh || apt update || { show_log; exit 1; }
  install_missing || { apt update && install_missing; } || { show_log; exit 1; }
fi
if [ -e "$record.before" ]; then
  touch "$record.added"
  installed_packages | comm -13 "$record.before" - | sort -u - "$record.added" > "$record.new"
  mv "$record.new" "$record.added"
  for kind in passwd group; do
    touch "$record.$kind-added"
    accounts "$kind" | comm -13 "$record.$kind-before" - | sort -u - "$record.$kind-added" > "$record.new"
    mv "$record.new" "$record.$kind-added"
  done
  rm -f "$record.before" "$record.passwd-before" "$record.group-before" "$record.log"
fi
[ -z "$(missing_packages)" ]
if [ -e "$record.added" ]; then
  sed 's/^/added /' "$record.added"
fi
