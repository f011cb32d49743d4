"""Make container images without a container engine: layers, docker archives, the table of artifacts.

`catalogue.py` lists the images; `build.py` is the way from there to a file that containerd imports.
"""

from toolchain.images.step import steps

__all__ = ["steps"]
