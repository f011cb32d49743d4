"""What is wrong with arguments that describe a file on a host."""

import re

from edgehost.errors import InputError

MODE = re.compile(r"[0-7]{4}")


def check_path(argument: str, path: str) -> list[InputError]:
    """Return what is wrong with a path on a host."""
    if path.startswith("/") and not path.endswith("/") and "\n" not in path:
        return []
    return [
        InputError(
            argument,
            f"{path!r} is not the absolute path of a file",
            "A step on a host starts in no particular folder.",
            "Begin the path with / and end it with the file's name.",
        )
    ]


def check_mode(mode: str) -> list[InputError]:
    """Return what is wrong with a file's mode."""
    if MODE.fullmatch(mode):
        return []
    return [
        InputError(
            "mode",
            f"{mode!r} is not four octal digits",
            "It would be compared with what the host says and differ for ever.",
            'Write it like "0644".',
        )
    ]
