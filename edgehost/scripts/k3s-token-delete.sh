#!/bin/sh
# Delete a token; only its public id is named. TOKEN_ID
set -eu
if k3s token list 2>/dev/null | grep -q "^$TOKEN_ID "; then
  k3s token delete "$TOKEN_ID" >/dev/null
fi
