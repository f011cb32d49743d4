#!/bin/sh
# Mint a token that lets one agent in. NODE TTL
set -eu
need_tool k3s
echo "token $(k3s token create --ttl "$TTL" --description "$NODE")"
