"""The texts of `files/`: what hosts and pods get as it is, or with a word filled in."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "files"


def text(name: str) -> str:
    """Return the text of files/NAME."""
    return (_FOLDER / name).read_text()
