#!/bin/sh
# Remove the file in the token's place. TOKEN_FILE
set -eu
restore_original "$TOKEN_FILE"
