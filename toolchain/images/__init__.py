"""Make container images without a container engine: layers, docker archives, the table of artifacts.

`catalogue.py` lists the images; `build.py` is the way from there to a file that containerd imports.
"""

from toolchain.images.step import earlier_kubernetes_steps, kubeadm_steps, steps

__all__ = ["earlier_kubernetes_steps", "kubeadm_steps", "steps"]
