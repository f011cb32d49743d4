#!/bin/sh
# Purge packages that were added by us. RECORD_NAME; NAMES (one a line): only these of them; empty: all and the record.
# A package that something else on the host needs by now is kept, with a line that says so.
set -eu
record="$RECORDS/packages/$RECORD_NAME"

# others_removed LIST: print those packages that apt would remove although they are not on the list.
others_removed() {
  # shellcheck disable=SC2046 # One word per package is meant.
  apt-get -s purge $(cat "$1") 2>/dev/null | sed -n 's/^\(Purg\|Remv\) \([^ ]*\) .*/\2/p' | sort -u |
    while read -r name; do
      grep -qx "$name\(:.*\)\?" "$1" || echo "$name"
    done
}

purge() {
  NEEDRESTART_MODE=l xargs apt-get -qq -y -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 purge \
    <"$1" >"$record.log" 2>&1 || { tail -n 15 "$record.log" >&2; rm -f "$record.log"; exit 1; }
  rm -f "$record.log"
  remove_state_folders < "$1"
}

# remove_state_folders: what purged programs left in /var/lib and /run under their package's name, and empty folders
# under /etc, as far as they came after the packages.
remove_state_folders() {
  [ -e "$record.folders" ] || return 0
  while read -r name; do
    # An empty line must never name /run or /var/lib themselves.
    for folder in "/var/lib/${name:?}" "/run/${name:?}"; do
      if ! grep -qx "$folder" "$record.folders"; then rm -rf --one-file-system "$folder"; fi
    done
  done
  find /etc -depth -type d -empty | while read -r folder; do
    if ! grep -qxF "$folder" "$record.folders"; then rmdir -p --ignore-fail-on-non-empty "$folder"; fi
  done
}

# remove_accounts: those that came with our packages and that purging leaves behind; root's own tools refuse busy ones.
remove_accounts() {
  while read -r name; do
    if getent passwd "$name" >/dev/null; then userdel "$name" 2>/dev/null || echo "kept account $name"; fi
  done < "$record.passwd-added"
  while read -r name; do
    if getent group "$name" >/dev/null; then groupdel "$name" 2>/dev/null || echo "kept group $name"; fi
  done < "$record.group-added"
}

still_installed() {
  while read -r name; do
    status=$(dpkg-query -W -f='${db:Status-Abbrev}' "$name" 2>/dev/null) || status=''
    case $status in
      ''|?n*) ;;
      *) echo "$name" ;;
    esac
  done
}

if [ -e "$record.added" ]; then
  list="$record.purge"
  if [ -n "$NAMES" ]; then
    printf '%s\n' "$NAMES" | while read -r name; do
      grep -x "$name\(:.*\)\?" "$record.added" || true
    done | still_installed > "$list"
  else
    still_installed < "$record.added" > "$list"
  fi
  if [ -s "$list" ]; then
    others=$(others_removed "$list")
    if [ -n "$others" ]; then
      # shellcheck disable=SC2086 # One word per package is meant.
      apt-cache depends --recurse --installed --no-suggests --no-recommends --no-enhances $others 2>/dev/null |
        sed -n 's/^[^ ].*/&/p' | sort -u > "$list.needed"
      while read -r name; do
        if grep -qx "${name%%:*}\(:.*\)\?" "$list.needed"; then
          echo "kept $name"
        else
          echo "$name" >> "$list.free"
        fi
      done < "$list"
      rm -f "$list.needed"
      if [ -e "$list.free" ]; then mv "$list.free" "$list"; else : > "$list"; fi
    fi
    [ ! -s "$list" ] || purge "$list"
  fi
  while read -r name; do
    grep -qx "$name" "$list" || echo "$name"
  done < "$record.added" > "$record.new"
  mv "$record.new" "$record.added"
  sed 's/^/added /' "$record.added"
  rm -f "$list"
fi
if [ -z "$NAMES" ]; then
  [ ! -e "$record.passwd-added" ] || remove_accounts
  rm -f "$record.added" "$record.before" "$record.folders" "$record.passwd-added" "$record.group-added" \
    "$record.passwd-before" "$record.group-before"
fi
forget_empty_records
