"""Reproduce figure 7 of the source paper: 20 requests per model, JSON against protobuf, and ours beside them.

    python -m experiments.figure7 [--rate 1gbit] [--requests 20] [--folder .state/experiments/figure7]

Sender, endpoint and node are three network namespaces on the lab's bridge, each behind a link of the rate. JSON and
protobuf go straight from the sender to the node, with arrays that are decoded and resized before the clock starts. Ours
sends the picture's file or the text to the proxy on the endpoint, and the proxy asks the node: one hop more, and
decoding is in its time. Needs root. Leaves nothing but the folder: requests.csv, the tables, figure7.png and
versions.json.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from experiments.figure7.drawing import draw
from experiments.figure7.inputs import FigureModel, figure_models
from experiments.figure7.network import SENDER, LimitedNetwork, limited_network
from experiments.figure7.results import (
    WAYS,
    Row,
    bytes_of,
    bytes_table,
    parts_table,
    requests_table,
    summary_table,
    times,
)
from experiments.figure7.site import Site, running_site
from experiments.paper import SAVED_TIME_PERCENT
from experiments.process import CHECKOUT, run
from experiments.report import Report

FOLDER = CHECKOUT / ".state" / "experiments" / "figure7"
WARM_UP = 2


def send_all(network: LimitedNetwork, site: Site, models: list[FigureModel], requests: int, folder: Path) -> list[Row]:
    """Have the sender send everything; return its rows."""
    plan = {"requests": requests, "warm_up": WARM_UP, "json": site.json, "protobuf": site.protobuf, "ours": site.ours}
    plan["models"] = [model.write(folder) for model in models]
    path = folder / "plan.json"
    path.write_text(json.dumps(plan))
    command = [sys.executable, "-m", "experiments.figure7.sender", str(path)]
    said = run(command, prefix=network.on(SENDER), seconds=3600)
    return [Row(**json.loads(line)) for line in said.splitlines()]


def note(rows: list[Row], model: str) -> str:
    """Return the lines below a panel: the bytes of the ways, and what the paper says."""
    sizes = " / ".join(f"{bytes_of(rows, model, way) / 1e6:,.3g}" for way in WAYS)
    saved = SAVED_TIME_PERCENT.get(model)
    paper = "" if saved is None else f"\npaper: protobuf saves {saved:g} % of JSON's time"
    return f"{sizes} MB{paper}"


def measure(rate: str, requests: int, runtime: str, folder: Path) -> Report:
    """Bring the site up, send everything, and write the files."""
    models = figure_models()
    with tempfile.TemporaryDirectory(prefix="kubevc-figure7-") as name, limited_network(rate) as network:
        speed = network.megabytes_per_second()
        served = {model.name: model.folder for model in models}
        with running_site(network, served, runtime, Path(name)) as site:
            rows = send_all(network, site, models, requests, Path(name))
    report = Report("figure 7", [summary_table(rows), bytes_table(rows), parts_table(rows)])
    report.remarks.append(f"Link: {rate}, measured {speed:.1f} MB/s; {requests} requests per model and way, in turns.")
    link: dict[str, Any] = {"rate": rate, "measured MB/s": round(speed, 1)}
    provenance = {model.name: model.provenance for model in models}
    report.write(folder, link=link, requests=requests, runtime=runtime, models=provenance)
    requests_table(rows).write_csv(folder / "requests.csv")
    title = f"{requests} requests per model over {rate} ({speed:.0f} MB/s): JSON, protobuf, and the proxy's way"
    draw(folder / "figure7.png", times(rows), {model.name: note(rows, model.name) for model in models}, title)
    return report


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.figure7", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", default="1gbit", help="of every host's link, as tc writes it (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=20, help="per model and way (default: %(default)s)")
    parser.add_argument("--runtime", default="openvino", help="the model server's (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: %(default)s")
    given = parser.parse_args()
    # A SIGTERM unwinds like an error, so that hosts and processes go with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    measure(given.rate, given.requests, given.runtime, given.folder).print()
    print(f"written to {given.folder}")


if __name__ == "__main__":
    main()
