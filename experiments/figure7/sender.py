"""The sender: on its own host, it sends every request of the figure and prints one line of JSON for each.

    python -m experiments.figure7.sender PLAN.json

The ways take turns (JSON, protobuf, ours, JSON, ...), so that whatever slows the machine down meets all of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from experiments.figure7 import ways


def passages(plan: Mapping[str, Any], model: Mapping[str, Any]) -> Iterator[tuple[str, int, ways.Passage]]:
    """Send a model's requests; yield way and number of each. The numbers of the warm-up are negative."""
    with np.load(model["arrays"]) as stored:
        arrays = {name: stored[name] for name in stored.files}
    name, body = model["name"], Path(model["body"]).read_bytes()
    by_json, by_protobuf = ways.Json(plan["json"]), ways.Protobuf(plan["protobuf"])
    by_proxy = ways.Proxied(plan["ours"], model["media"])
    for number in range(-plan["warm_up"], plan["requests"]):
        yield ways.JSON, number, by_json.go(name, arrays)
        yield ways.PROTOBUF, number, by_protobuf.go(name, arrays)
        yield ways.OURS, number, by_proxy.go(name, body)


def main() -> None:
    """Send all requests of the plan."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    for model in plan["models"]:
        for way, number, passage in passages(plan, model):
            if number >= 0:
                row = {"model": model["name"], "way": way, "number": number, "milliseconds": passage.milliseconds}
                print(json.dumps(row | asdict(passage)), flush=True)


if __name__ == "__main__":
    main()
