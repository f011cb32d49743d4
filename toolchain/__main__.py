"""The command line: `python -m toolchain setup | env | clean`."""

import argparse
import errno
import sys

from toolchain import cache, engine, environment, plugins
from toolchain.clean import clean
from toolchain.errors import CacheError, ToolchainError
from toolchain.progress import say
from toolchain.state import State


def main(arguments: list[str]) -> int:
    """Run one verb; return the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        chosen.verb(chosen)
    except ToolchainError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        if problem.errno != errno.ENOSPC:
            raise
        print(f"error: {_disk_is_full(problem)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the next run starts the unfinished piece again", file=sys.stderr)
        return 130
    return 0


def _disk_is_full(problem: OSError) -> CacheError:
    return CacheError(
        str(problem.filename or cache.root()),
        "no space is left on the disk",
        "the engine takes 0.5 GB, the lab's artifacts 3 GB, a build some 5 GB while it runs",
        "run: python -m toolchain clean --go-build-cache, or set KUBEVC_CACHE to a folder on another disk",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m toolchain", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="verb")
    setup = verbs.add_parser("setup", help="get the engine and its plugins into the cache")
    setup.add_argument("--lab", action="store_true", help="also the lab's binaries, images and models")
    setup.add_argument(
        "--architecture",
        action="append",
        choices=["amd64", "arm64", "armhf"],
        help="of the lab's hosts; may be given several times (default: this machine's)",
    )
    setup.add_argument(
        "--earlier-kubernetes",
        action="store_true",
        help="with --lab: also the version of Kubernetes that the test of an upgrade begins with (some 12 minutes)",
    )
    setup.add_argument(
        "--without-kubeadm", action="store_true", help="with --lab: only what k3s sites need (some 15 minutes less)"
    )
    setup.add_argument("--retry-official", action="store_true", help="ask again for official downloads that failed")
    setup.set_defaults(verb=_setup)
    env = verbs.add_parser("env", help='print shell lines: eval "$(python -m toolchain env)"')
    env.set_defaults(verb=_env)
    tidy = verbs.add_parser("clean", help="delete leftovers and results of older recipes")
    tidy.add_argument("--go-build-cache", action="store_true", help="also empty Go's build cache (several GB)")
    tidy.set_defaults(verb=_clean)
    return parser


def _setup(chosen: argparse.Namespace) -> None:
    found = engine.resolve(retry_official=chosen.retry_official)
    say(f"engine: {found}")
    installed = [plugins.resolve(plugin, found, retry_official=chosen.retry_official) for plugin in plugins.ALL]
    for plugin in installed:
        say(f"engine: {plugin}")
    State().prepare(installed)
    if chosen.lab:
        _setup_lab(chosen, chosen.architecture or [cache.host_architecture()])


def _setup_lab(chosen: argparse.Namespace, architectures: list[str]) -> None:
    # Here, because the makers of images and models import more than the engine's set-up should wait for.
    from toolchain.steps import earlier_kubernetes_steps, lab_steps

    earlier = earlier_kubernetes_steps(architectures) if chosen.earlier_kubernetes else ()
    for step in (*lab_steps(architectures, kubeadm=not chosen.without_kubeadm), *earlier):
        if not step.is_done():
            step.run()
        say(f"lab: {step.name}")


def _env(_: argparse.Namespace) -> None:
    found = engine.required()
    State().prepare([installed for plugin in plugins.ALL if (installed := plugins.find(plugin))])
    print("\n".join(environment.shell_lines(found, State())))


def _clean(chosen: argparse.Namespace) -> None:
    clean(go_build_cache=chosen.go_build_cache)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
