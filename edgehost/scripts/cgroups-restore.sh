#!/bin/sh
# Put the kernel's command line back for the next start.
set -eu
line=$(kernel_line_file)
if [ -n "$line" ] && had_original "$line"; then
  restore_original "$line"
fi
