#!/bin/sh
# Finding out whether the kernel can do something: the feature may be a module, or built in, and modprobe may not exist.
set -eu
# kernel_symbol FEATURE: the build option behind a feature whose name differs from its module's.
kernel_symbol() {
  case $1 in
    br_netfilter) echo BRIDGE_NETFILTER ;;
    overlay) echo OVERLAY_FS ;;
    fuse) echo FUSE_FS ;;
    nfs) echo NFS_FS ;;
    ip_tables) echo IP_NF_IPTABLES ;;
    ip6_tables) echo IP6_NF_IPTABLES ;;
    iptable_nat) echo IP_NF_NAT ;;
    *) echo "$1" | tr '[:lower:]' '[:upper:]' ;;
  esac
}

kernel_config() {
  if [ -r /proc/config.gz ]; then
    gzip -dc /proc/config.gz
  elif [ -r "/boot/config-$(uname -r)" ]; then
    cat "/boot/config-$(uname -r)"
  fi
}

is_module_loaded() {
  [ -r /proc/modules ] && grep -q "^$1 " /proc/modules
}

# is_built_in FEATURE: by the list of built-in modules, by what the kernel shows of itself, or by its build options.
is_built_in() {
  grep -qs "/$(echo "$1" | tr _ '?' | sed 's/?/[_-]/g')\.ko" "/lib/modules/$(uname -r)/modules.builtin" && return 0
  [ ! -d "/sys/module/$1" ] || return 0
  if grep -qs "[[:space:]]$1\$" /proc/filesystems; then return 0; fi
  if [ "$1" = br_netfilter ] && [ -d /proc/sys/net/bridge ]; then return 0; fi
  kernel_config | grep -q "^CONFIG_$(kernel_symbol "$1")=y\$"
}

# feature_state FEATURE: loaded, built-in or missing.
feature_state() {
  if is_module_loaded "$1"; then
    echo loaded
  elif is_built_in "$1"; then
    echo built-in
  else
    echo missing
  fi
}
