#!/bin/sh
# Let the agent find a token. TOKEN TOKEN_ID TOKEN_FILE
# The token itself lies in memory (/run); what is on the disk is a link to it.
set -eu
umask 077
mkdir -p /run/kubevc
printf '%s\n' "$TOKEN" > "/run/kubevc/$TOKEN_ID"
umask 022
keep_original "$TOKEN_FILE"
make_folders "$(dirname "$TOKEN_FILE")"
ln -sfT "/run/kubevc/$TOKEN_ID" "$TOKEN_FILE"
