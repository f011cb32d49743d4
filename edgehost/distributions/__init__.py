"""The distributions of Kubernetes that hosts can run, one file each; this table chooses between them."""

from edgehost.distributions.k3s import K3s
from edgehost.distributions.kubeadm import Kubeadm
from edgehost.distributions.protocol import Distribution

DISTRIBUTIONS: dict[str, Distribution] = {"k3s": K3s(), "kubeadm": Kubeadm()}
