"""Shell scripts of the provider: loading them and giving them values."""

import re
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "scripts"
# Every script stands on these: strict mode and refusals, the host's own record of what was there before, and
# ways to read the kernel.
FOUNDATION = ("prologue", "records", "cgroups", "sysctls", "artifacts", "units", "kernel", "swap", "kubectl")
# What only the scripts of a family stand on as well, by the first part of their names.
FAMILIES = {
    "k3s": ("node",),
    "kubeadm": ("node", "kubeadm"),
    "control": ("node", "kubeadm"),
    "images": ("images",),
}
REFUSAL = re.compile(r"^kubevc-refusal (?P<kind>[a-z-]+)(?: (?P<detail>.*))?$", re.MULTILINE)


@cache
def load_script(name: str) -> str:
    """Return the text of scripts/NAME.sh."""
    return (FOLDER / f"{name}.sh").read_text(encoding="utf-8")


def compose(name: str, values: Mapping[str, str], *, keeps_stdin: bool = False) -> str:
    """Return a shell program: the values as quoted assignments, then the script as one function that is called last.

    A program that arrives only in part is a syntax error and does nothing, because its last line calls it.

    Args:
        name: The script's name without its ending.
        values: Shell variables; secrets may be among them as long as the program itself is sent by stdin.
        keeps_stdin: Whether the script reads its own stdin (the program is then an argument of sh).
    """
    assignments = "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items())
    family = FAMILIES.get(name.split("-")[0], ())
    foundation = "".join(load_script(part) for part in (*FOUNDATION, *family))
    stdin = "" if keeps_stdin else " </dev/null"
    return f"{foundation}{assignments}kubevc_step() {{\n{load_script(name)}\n}}\nkubevc_step{stdin}\n"


def parse_refusal(stderr: str) -> tuple[str, str] | None:
    """Return the kind and the detail of a script's own refusal, or None when the script failed otherwise."""
    found = REFUSAL.search(stderr)
    return (found["kind"], found["detail"] or "") if found else None
