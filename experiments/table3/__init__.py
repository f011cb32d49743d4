"""Table 3 of the source paper again: the time of every automated step, general Kubernetes beside k3s."""
