#!/bin/sh
# Fetch an artifact. FILE_PATH SHA256 URL MODE SIZE_BYTES (0: unknown) LINKS
# What was fetched is kept when the connection breaks, and the next run goes on from there.
set -eu
folder=$(dirname "$FILE_PATH")
part=$(part_path "$FILE_PATH")

expected_size() {
  [ "$SIZE_BYTES" = 0 ] || { echo "$SIZE_BYTES"; return 0; }
  curl -fsSLI --connect-timeout 10 --max-time 30 "$URL" 2>/dev/null | tr -d '\r' |
    sed -n 's/^[Cc]ontent-[Ll]ength: *\([0-9][0-9]*\)$/\1/p' | tail -n 1
}

fetch() {
  fetched=0
  reason=$(curl -fsSL --connect-timeout 10 --retry 3 --retry-connrefused --speed-limit 1 --speed-time 60 \
    -C - -o "$part" "$URL" 2>&1) || fetched=$?
}

# A server that does not know ranges (33), or a part that is already longer than the file (22: HTTP 416).
fetch_again_from_the_start() {
  rm -f "$part"
  fetch
}

if ! is_installed "$FILE_PATH" "$SHA256"; then
  need_tool curl
  make_folders "$folder"
  resumed=$(file_size "$part")
  wanted=$(expected_size)
  need_space "$folder" $((${wanted:-0} > resumed ? ${wanted:-0} - resumed : 0))
  if [ "$resumed" = 0 ] || [ "$(sha256_of "$part")" != "$SHA256" ]; then
    fetch
    case $fetched in
      33 | 22) [ "$resumed" = 0 ] || fetch_again_from_the_start ;;
    esac
    if [ "$fetched" = 0 ] && [ "$resumed" != 0 ] && [ "$(sha256_of "$part")" != "$SHA256" ]; then
      # What was kept may be of another file that had the same place; only a whole new one tells.
      fetch_again_from_the_start
    fi
    if [ "$fetched" = 23 ]; then
      rm -f "$part"
      refuse no-space "$folder" "${wanted:-0}" "$(($(df -Pk "$folder" | awk 'NR == 2 {print $4}') * 1024))"
    fi
    [ "$fetched" = 0 ] || refuse download "$URL" "$reason"
  fi
  install_part "$FILE_PATH" "$SHA256"
fi
finish_artifact "$FILE_PATH" "$MODE" "$LINKS"
