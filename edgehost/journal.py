"""A record of every write on a host, for people and tests that count them."""

import json
import os
from pathlib import Path

JOURNAL_VARIABLE = "EDGEHOST_JOURNAL"


def record_write(host: str, resource: str, step: str) -> None:
    """Append one JSON line to the file named by EDGEHOST_JOURNAL; do nothing when it is unset.

    The line holds names only, never a value that is written, so that no secret can reach it.

    Args:
        host: The host's name.
        resource: The URN of the resource on whose behalf the write is made.
        step: The step, for example "packages-install".
    """
    path = os.environ.get(JOURNAL_VARIABLE)
    if not path:
        return
    line = json.dumps({"host": host, "resource": resource, "step": step})
    with Path(path).open("a", encoding="utf-8") as journal:
        journal.write(line + "\n")
