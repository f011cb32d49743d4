#!/bin/sh
# Remove the password by which the server knew an earlier node of this name. NODE KUBECONFIG_PATH
# k3s removes it together with the node object, but an agent that died before its node appeared leaves it behind.
set -eu
on_cluster --request-timeout=10s delete secret -n kube-system "$NODE.node-password.k3s" --ignore-not-found >/dev/null
