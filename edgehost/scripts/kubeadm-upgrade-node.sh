#!/bin/sh
# Bring a drained node to another version. VERSION UNIT
set -eu
use_kubernetes "$VERSION"
run_kubeadm upgrade node
unit_must restart "$UNIT" 120
