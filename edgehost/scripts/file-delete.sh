#!/bin/sh
# Put back what stood in the file's place before. FILE_PATH
set -eu
restore_original "$FILE_PATH"
