#!/bin/sh
# Report which cgroup controllers are active.
set -eu
active_controllers | sed 's/^/active /'
