#!/bin/sh
# Reading and writing kernel settings without the sysctl program, which a minimal host does not have.
set -eu
# sysctl_path KEY: where the kernel shows a setting. With a slash in it the key is a path already.
sysctl_path() {
  case $1 in
    */*) printf '/proc/sys/%s' "$1" ;;
    *) printf '/proc/sys/%s' "$1" | tr . / ;;
  esac
}

# sysctl_value KEY: its value with single spaces; nothing when the kernel has no such setting.
sysctl_value() {
  [ -e "$(sysctl_path "$1")" ] || return 0
  tr -s '\t ' ' ' < "$(sysctl_path "$1")" | sed 's/ $//'
}

# set_sysctl KEY VALUE: change it if it differs, and look whether the kernel took it.
set_sysctl() {
  [ "$(sysctl_value "$1")" != "$2" ] || return 0
  printf '%s\n' "$2" > "$(sysctl_path "$1")" || true
  [ "$(sysctl_value "$1")" = "$2" ] || refuse sysctl-refused "$1" "$2 / $(sysctl_value "$1")"
}

# remember_sysctl KEY: note the value that it has before us; only the first call counts.
remember_sysctl() {
  record_folder sysctls
  touch "$RECORDS/sysctls/previous"
  ! grep -q "^$1 " "$RECORDS/sysctls/previous" || return 0
  printf '%s %s\n' "$1" "$(sysctl_value "$1")" >> "$RECORDS/sysctls/previous"
}

# restore_sysctl KEY: set it back to what it was before us; a setting that is gone by now needs nothing.
restore_sysctl() {
  [ -e "$RECORDS/sysctls/previous" ] || return 0
  if [ -e "$(sysctl_path "$1")" ] && grep -q "^$1 " "$RECORDS/sysctls/previous"; then
    # In a container some settings are the machine's and cannot be set; then nobody on this host has changed them.
    previous=$(sed -n "s#^$1 ##p" "$RECORDS/sysctls/previous")
    [ "$(sysctl_value "$1")" = "$previous" ] || printf '%s\n' "$previous" > "$(sysctl_path "$1")" || true
  fi
  sed -i "\\#^$1 #d" "$RECORDS/sysctls/previous"
}
