#!/bin/sh
# Set kernel settings now and at every start. SETTINGS (`key value` lines) CONTENT FILE_PATH
# REMEMBERED (keys that others will change) DROPPED (keys no longer asked for)
set -eu
printf '%s\n' "$SETTINGS" | sed '/^$/d' | while read -r key value; do
  [ -e "$(sysctl_path "$key")" ] || refuse sysctl-missing "$key"
done
for key in $REMEMBERED $(printf '%s' "$SETTINGS" | cut -d' ' -f1); do
  if [ -e "$(sysctl_path "$key")" ]; then remember_sysctl "$key"; fi
done
printf '%s\n' "$SETTINGS" | sed '/^$/d' | while read -r key value; do
  set_sysctl "$key" "$value"
done
printf '%s\n' "$DROPPED" | sed '/^$/d' | while read -r key; do
  restore_sysctl "$key"
done
keep_original "$FILE_PATH"
if ! printf '%s' "$CONTENT" | cmp -s - "$FILE_PATH"; then
  printf '%s' "$CONTENT" | write_file "$FILE_PATH" 0644 root root
fi
