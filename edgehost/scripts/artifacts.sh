#!/bin/sh
# The last steps of every artifact, however it came here.
set -eu
# part_path PATH: where a file is put together before it takes its place. Hidden, so that no reader of the folder sees it.
part_path() {
  printf '%s/.%s.part' "$(dirname "$1")" "$(basename "$1")"
}

# sha256_of PATH: openssl uses the processor's own instructions where it has them, five times as fast as Debian's
# sha256sum.
sha256_of() {
  if command -v openssl >/dev/null 2>&1; then openssl dgst -sha256 -r "$1"; else sha256sum "$1"; fi | cut -d' ' -f1
}

# file_size PATH: in bytes; 0 when it is not there.
file_size() {
  stat -c %s "$1" 2>/dev/null || echo 0
}

# need_space FOLDER BYTES: refuse when the folder's file system has less left.
need_space() {
  free=$(($(df -Pk "$1" | awk 'NR == 2 {print $4}') * 1024))
  [ "$free" -ge "$2" ] || refuse no-space "$1" "$2" "$free"
}

# is_installed PATH SHA256: whether the right file is there already.
is_installed() {
  [ -f "$1" ] && [ ! -L "$1" ] && [ "$(sha256_of "$1")" = "$2" ]
}

# install_part PATH SHA256: give the put-together file its place if it is the right one; remove it if not.
install_part() {
  part=$(part_path "$1")
  found=$(sha256_of "$part")
  if [ "$found" != "$2" ]; then
    rm -f "$part"
    remove_folders "$(dirname "$1")"
    refuse checksum "$1" "$2" "$found"
  fi
  keep_original "$1"
  chown root:root "$part"
  sync "$part"
  mv -fT "$part" "$1"
}

# finish_artifact PATH MODE LINKS: its mode and the symbolic links to it.
finish_artifact() {
  chmod "$2" "$1"
  printf '%s\n' "$3" | sed '/^$/d' | while read -r link; do
    [ "$(readlink "$link" 2>/dev/null)" != "$1" ] || continue
    keep_original "$link"
    make_folders "$(dirname "$link")"
    ln -sfnT "$1" "$link"
  done
}
