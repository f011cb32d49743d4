"""`python -m toolchain.images [IMAGE ...]`: make the images, all of them or those named, and print their archives."""

import argparse
import sys

from toolchain import cache
from toolchain.errors import ToolchainError
from toolchain.images import netfilter_root, python_root
from toolchain.images.build import build
from toolchain.images.catalogue import CATALOGUE
from toolchain.index import Artifact


def main(arguments: list[str] | None = None) -> int:
    """Make the chosen images."""
    parser = argparse.ArgumentParser(prog="python -m toolchain.images", description="Make the container images.")
    names = [image.name for image in CATALOGUE]
    parser.add_argument("images", nargs="*", metavar="IMAGE", help=f"one or more of: {', '.join(names)}")
    parser.add_argument("--architecture", default=cache.host_architecture(), help="amd64, arm64 or armhf")
    parser.add_argument("--renew", action="store_true", help="take today's Debian packages (security updates)")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.images) - set(names)):
        parser.error(f"no image is named {', '.join(unknown)}; there are: {', '.join(names)}")
    chosen = [image for image in CATALOGUE if image.name in (options.images or names)]
    if impossible := [image.name for image in chosen if options.architecture not in image.architectures]:
        parser.error(
            f"not for {options.architecture}: {', '.join(impossible)} "
            "(OpenVINO and others have no wheels for it, Kubernetes ended it with 1.27)"
        )
    try:
        if options.renew:
            for root in (python_root.ROOT, netfilter_root.ROOT):
                root.renew(options.architecture)
        _print([build(image, options.architecture, again=options.renew) for image in chosen])
    except ToolchainError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _print(artifacts: list[Artifact]) -> None:
    for artifact in artifacts:
        print(f"{artifact.image}\n  {artifact.path}")
    print(
        "\nTo push one into a registry of yours:\n"
        "  skopeo copy docker-archive:ARCHIVE docker://REGISTRY/NAME:TAG\n"
        "A site without a registry needs none of this: `image` in the artifact table names the archive."
    )


if __name__ == "__main__":
    sys.exit(main())
