#!/bin/sh
# Have cgroup controllers active. NAMES (one a line)
# On a Raspberry Pi memory is off by default and the kernel's command line turns it on; only a reboot makes that real.
set -eu
missing=''
for name in $(printf '%s\n' "$NAMES"); do
  active_controllers | grep -qx "$name" || missing="$missing $name"
done
[ -n "$missing" ] || exit 0
line=$(kernel_line_file)
[ -n "$line" ] || refuse controller-missing "${missing# }"
for argument in cgroup_enable=memory cgroup_memory=1; do
  grep -qw -- "$argument" "$line" || arguments="${arguments:-} $argument"
done
if [ -n "${arguments:-}" ]; then
  keep_original "$line"
  # The firmware reads the first line only.
  sed "1s/ *\$/$arguments/" "$line" | write_file "$line" "$(stat -c %a "$line")" root root
fi
refuse reboot "$line"
