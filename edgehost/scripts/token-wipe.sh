#!/bin/sh
# Leave a token that opens nothing. SPENT TOKEN_ID TOKEN_FILE
set -eu
rm -f "/run/kubevc/$TOKEN_ID"
rmdir /run/kubevc 2>/dev/null || true
printf '%s\n' "$SPENT" | write_file "$TOKEN_FILE" 0600 root root
