#!/bin/sh
# Which cgroup controllers really work on this host.
set -eu
# active_controllers: print them, one a line. Of v1 those that are enabled and mounted, of v2 those of the root.
active_controllers() {
  {
    if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
      tr ' ' '\n' < /sys/fs/cgroup/cgroup.controllers
    fi
    awk '$3 == "cgroup" {print $4}' /proc/self/mounts | tr ',' '\n' | while read -r option; do
      awk -v name="$option" '$1 == name && $4 == 1 {print $1}' /proc/cgroups
    done
  } | sed '/^$/d' | sort -u
}

# kernel_line_file: where the firmware reads the kernel's command line; nothing on other machines.
kernel_line_file() {
  for candidate in /boot/firmware/cmdline.txt /boot/cmdline.txt; do
    if [ -f "$candidate" ] && [ ! -L "$candidate" ]; then
      echo "$candidate"
      return 0
    fi
  done
}
