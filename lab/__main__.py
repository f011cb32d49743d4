"""`python -m lab`: real Debian hosts on this machine."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from lab import definition, down, machine, shell, status, up
from lab.errors import LabError
from lab.instance import DEFAULT, Instance, InstanceFolder
from lab.progress import say


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        machine.require_root()
        return int(options.verb(options))
    except LabError as error:
        say(f"lab: {error}")
        return 1
    except KeyboardInterrupt:
        say(f"lab: interrupted; python -m lab down --name {options.name} clears up")
        return 130


def _up(options: argparse.Namespace) -> int:
    folder = InstanceFolder(options.name)
    instance = Instance(folder, _asked_for(options, folder))
    up.up(instance)
    print(status.table(instance))
    return 0


def _asked_for(options: argparse.Namespace, folder: InstanceFolder) -> definition.LabDefinition:
    """Return the definition to start with: the file named, else the one named like the instance, else the default's.

    An instance that is there keeps its network unless another is asked for.
    """
    own = definition.EDGE_LAB.with_name(f"{options.name}.yaml")
    file = options.definition or (own if own.exists() else definition.EDGE_LAB)
    network = options.network
    if network is None and folder.exists():
        network = str(folder.definition().network)
    return definition.load(file, network)


def _existing(options: argparse.Namespace) -> Instance:
    folder = InstanceFolder(options.name)
    return Instance(folder, folder.definition())


def _down(options: argparse.Namespace) -> int:
    down.down(InstanceFolder(options.name))
    return 0


def _status(options: argparse.Namespace) -> int:
    instance = _existing(options)
    print(status.table(instance))
    return 0 if status.all_up(instance) else 3


def _pristine(options: argparse.Namespace) -> int:
    instance = _existing(options)
    up.pristine(instance, [instance.host(name) for name in options.host] or instance.hosts)
    return 0


def _ssh(options: argparse.Namespace) -> int:
    instance = _existing(options)
    command = shell.ssh_command(instance.folder.keys, instance.host(options.host))
    os.execvp(command[0], command)


def _exec(options: argparse.Namespace) -> int:
    instance = _existing(options)
    return subprocess.run(
        shell.ssh_command(instance.folder.keys, instance.host(options.host), options.command)
    ).returncode


def _doctor(_: argparse.Namespace) -> int:
    machine.check()
    say("this machine can carry a lab")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, what: str, work: object) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=what, description=what)
        added.add_argument("--name", default=DEFAULT, help="the instance (default: %(default)s)")
        added.set_defaults(verb=work)
        return added

    start = verb("up", "start the instance's hosts, or what of them does not run", _up)
    start.add_argument("--network", help="the instance's network (default: the definition's)")
    start.add_argument("--definition", type=Path, help="YAML file (default: lab/NAME.yaml, else lab/edge-lab.yaml)")
    verb("down", "end and remove the instance, also after a killed `up`", _down)
    verb("status", "show the hosts; exit status 3 when one does not answer", _status)
    renew = verb("pristine", "put hosts back to what they were at their first boot", _pristine)
    which = renew.add_mutually_exclusive_group(required=True)
    which.add_argument("host", nargs="*", default=[])
    which.add_argument("--all", action="store_true", help="all hosts of the instance")
    verb("ssh", "open a shell on a host", _ssh).add_argument("host")
    command = verb("exec", "run a command on a host: exec HOST -- COMMAND", _exec)
    command.add_argument("host")
    command.add_argument("command", nargs="+")
    verb("doctor", "say what this machine lacks to carry a lab", _doctor)
    return parser


if __name__ == "__main__":
    sys.exit(main())
