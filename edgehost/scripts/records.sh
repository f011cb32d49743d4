#!/bin/sh
# The host's own record of what was there before, so that everything can be put back even after a broken run.
# It lives on the host and not in the stack's state: a step that dies half way has written it already.
set -eu
RECORDS=/var/lib/edgehost
RECORDS_LOCK=/run/lock/edgehost

# record_name PATH: a file name that stands for a path.
record_name() {
  printf '%s' "$1" | sed 's/%/%25/g; s#/#%2F#g'
}

# record_folder NAME: make a folder of records that only root can read.
# As long as this step runs, no other one takes the folders away because they are empty (descriptor 9 holds the lock).
record_folder() {
  exec 9>> "$RECORDS_LOCK"
  flock -s 9
  mkdir -p "$RECORDS/$1"
  chmod 0700 "$RECORDS"
}

# forget_gone_folders: a folder of ours that a package used as well goes with the package, or is empty after it.
forget_gone_folders() {
  for folder in "$RECORDS"/folders/*; do
    [ -e "$folder" ] || continue
    path=$(basename "$folder" | sed 's#%2F#/#g; s/%25/%/g')
    rmdir "$path" 2>/dev/null || [ ! -d "$path" ] || continue
    rm -f "$folder"
  done
}

# forget_empty_records: leave nothing behind when the last record is gone. A step that still writes does it later.
forget_empty_records() {
  [ -d "$RECORDS" ] || return 0
  exec 9>> "$RECORDS_LOCK"
  flock -n -x 9 || return 0
  forget_gone_folders
  rmdir "$RECORDS"/* 2>/dev/null || true
  if rmdir "$RECORDS" 2>/dev/null; then rm -f "$RECORDS_LOCK"; fi
  flock -u 9
}

# make_folders FOLDER: make a folder and its missing parents, and remember which ones are ours.
make_folders() {
  [ ! -d "$1" ] || return 0
  make_folders "$(dirname "$1")"
  record_folder folders
  : > "$RECORDS/folders/$(record_name "$1")"
  mkdir "$1" 2>/dev/null || [ -d "$1" ]
}

# remove_folders FOLDER: remove it and its parents as far as they are ours and empty.
remove_folders() {
  while [ "$1" != / ] && [ -e "$RECORDS/folders/$(record_name "$1")" ]; do
    if [ -d "$1" ] && ! rmdir "$1" 2>/dev/null; then
      break
    fi
    rm -f "$RECORDS/folders/$(record_name "$1")"
    set -- "$(dirname "$1")"
  done
  forget_empty_records
}

# keep_original PATH: remember what stood there before us; only the first call counts.
keep_original() {
  record_folder originals
  kept="$RECORDS/originals/$(record_name "$1")"
  if [ -e "$kept" ] || [ -L "$kept" ] || [ -e "$kept.absent" ]; then
    return 0
  fi
  if [ -e "$1" ] || [ -L "$1" ]; then
    cp -a "$1" "$kept.new"
    mv "$kept.new" "$kept"
  else
    : > "$kept.absent"
  fi
}

# restore_original PATH: put back what stood there before us, or remove what we put there.
restore_original() {
  kept="$RECORDS/originals/$(record_name "$1")"
  if [ -e "$kept" ] || [ -L "$kept" ]; then
    mkdir -p "$(dirname "$1")"
    cp -a "$kept" "$1.kubevc-restored"
    mv -fT "$1.kubevc-restored" "$1"
  else
    rm -f "$1"
  fi
  rm -f "$kept" "$kept.absent"
  remove_folders "$(dirname "$1")"
  forget_empty_records
}

# had_original PATH: whether something stood there before us.
had_original() {
  [ -e "$RECORDS/originals/$(record_name "$1")" ] || [ -L "$RECORDS/originals/$(record_name "$1")" ]
}

# write_file PATH MODE OWNER GROUP: write stdin there in one step: readers see the old content or the new, never a part.
write_file() {
  [ ! -d "$1" ] || refuse not-a-file "$1"
  make_folders "$(dirname "$1")"
  fresh=$(mktemp "$(dirname "$1")/.kubevc.XXXXXX")
  if ! cat > "$fresh"; then
    rm -f "$fresh"
    exit 1
  fi
  chown "$3:$4" "$fresh"
  chmod "$2" "$fresh"
  sync "$fresh"
  mv -fT "$fresh" "$1"
}
