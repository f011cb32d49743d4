"""Table 4 of the source paper again: CPU and memory of an idle cluster, general Kubernetes beside k3s."""
