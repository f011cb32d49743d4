"""Measure the bytes of one request and its answer, per model of the source paper, in the paper's ways and in ours.

    python -m experiments.bytes_table [--folder .state/experiments/bytes]

Nothing is computed from shapes. The paper's JSON is written by Python's encoder and in TensorFlow Serving's column form
(`experiments/rivals/tfs_json.py`), its protobuf as TensorFlow's own tools write it; ours is what the proxy sent to a
model server on loopback, and got, when a picture or a text was sent to it. "Exact" says whether the model sees the same
numbers as with float32. The user's side, between sender and proxy, stands in its own columns.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments import four_models
from experiments.goals import Goal, at_least, at_most
from experiments.loopback_model import LoopbackServer, answering, write_answer, write_request
from experiments.paper import BERT, MEBIBYTE, SAVED_BYTES_PERCENT, TABLE_5, YOLO, deviation_percent
from experiments.pictures import as_array, original_upload
from experiments.process import CHECKOUT
from experiments.proxy_process import RunningProxy, running_proxy
from experiments.quartiles import short
from experiments.report import Report
from experiments.rivals import tfs_json
from experiments.tables import Table

FOLDER = CHECKOUT / ".state" / "experiments" / "bytes"
PAPER_JSON, ROWS, ZIPPED, PAPER_PROTOBUF = (
    "JSON, columns (the paper's)",
    "JSON, rows",
    "JSON, rows, gzip",
    "protobuf, float32 (the paper's)",
)
OURS_FLOAT, OURS_PIXELS, OURS_IN_GRAPH, OURS_FILE, OURS_TEXT = (
    "ours: float32",
    "ours: uint8, plain answer",
    "ours: uint8, answer in graph",
    "ours: the original JPEG, answer in graph",
    "ours: text, the repeated tail cut",
)
PICTURE_WAYS = {
    OURS_FLOAT: "wire=float&answer=tensors",
    OURS_PIXELS: "wire=pixels&answer=tensors",
    OURS_IN_GRAPH: "wire=pixels",
    OURS_FILE: "wire=encoded",
}
EXACT = {OURS_FILE: "to the upload"}


@dataclass(frozen=True)
class Bytes:
    """One request and its answer between sender and model server; beside it the user's side, where a proxy is."""

    model: str
    way: str
    request: int
    answer: int
    user_request: int | None = None
    user_answer: int | None = None

    @property
    def both(self) -> int:
        """Return the bytes of both directions."""
        return self.request + self.answer


def rivals(model: str, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> Iterator[Bytes]:
    """Yield what the paper's ways take."""
    row_request, row_answer = tfs_json.row_request(inputs), tfs_json.rows(outputs)
    yield Bytes(model, PAPER_JSON, len(tfs_json.column_request(inputs)), len(tfs_json.columns(outputs)))
    yield Bytes(model, ROWS, len(row_request), len(row_answer))
    yield Bytes(model, ZIPPED, len(gzip.compress(row_request, 6)), len(gzip.compress(row_answer, 6)))
    yield Bytes(model, PAPER_PROTOBUF, len(write_request(model, inputs)), len(write_answer(model, outputs)))


def ours(
    proxy: RunningProxy, server: LoopbackServer, model: str, way: str, body: bytes, media: str, query: str = ""
) -> Bytes:
    """Send a body through the proxy; return what it sent and got."""
    answered = proxy.post(model, body, {"content-type": media}, query)
    seen = server.exchanged[model]
    return Bytes(model, way, len(seen.request), len(seen.answer), len(body), len(answered.body))


def measured() -> list[Bytes]:
    """Measure every model in every way."""
    picture, found = original_upload(), []
    with (
        answering(four_models.models(), lists=True) as server,
        tempfile.TemporaryDirectory() as name,
        running_proxy(Path(name), four_models.write(Path(name), server.target)) as proxy,
    ):
        for model, content in four_models.PICTURE_MODELS.items():
            inputs = {content.tensor: as_array(picture, content.side)}
            found += rivals(model, inputs, content.outputs())
            for way, query in PICTURE_WAYS.items():
                found.append(ours(proxy, server, model, way, picture, "image/jpeg", query))
        found += rivals(BERT, four_models.token_arrays(), {"probabilities": four_models.probabilities(2)})
        found.append(ours(proxy, server, BERT, OURS_TEXT, four_models.TEXT.encode(), "text/plain"))
    return found


def bytes_table(rows: list[Bytes]) -> Table:
    """Return all rows, with how many times fewer bytes than the paper's protobuf they take."""
    columns = (
        "model",
        "way",
        "request, B",
        "answer, B",
        "both, B",
        "times fewer",
        "exact",
        "from user, B",
        "to user, B",
    )
    table = Table("Bytes of one request between sender and model server", columns)
    paper = {row.model: row.both for row in rows if row.way == PAPER_PROTOBUF}
    for row in rows:
        times = short(paper[row.model] / row.both)
        sizes = (row.request, row.answer, row.both)
        user = ("" if size is None else size for size in (row.user_request, row.user_answer))
        table.add(row.model, row.way, *sizes, times, EXACT.get(row.way, "yes"), *user)
    return table


def paper_table(rows: list[Bytes]) -> Table:
    """Return the paper's ways beside its Table 5, in MiB."""
    table = Table("The paper's Table 5, MiB", ("model", "what", "paper", "measured", "deviation"))
    for model, what, printed, size in cells(rows):
        table.add(model, what, printed, f"{size / MEBIBYTE:.4f}", f"{deviation_percent(size, printed):+.1f} %")
    return table


def cells(rows: list[Bytes]) -> Iterator[tuple[str, str, float, int]]:
    """Yield model, what, the paper's MiB and the measured bytes of every cell of Table 5."""
    by_way = {(row.model, row.way): row for row in rows}
    for model, sizes in TABLE_5.items():
        json, protobuf = by_way[model, PAPER_JSON], by_way[model, PAPER_PROTOBUF]
        yield model, "request, JSON", sizes.input_json, json.request
        yield model, "request, protobuf", sizes.input_protobuf, protobuf.request
        yield model, "answer, JSON", sizes.output_json, json.answer
        yield model, "answer, protobuf", sizes.output_protobuf, protobuf.answer


def goals(rows: list[Bytes]) -> list[Goal]:
    """Return what was wanted of the bytes."""
    by_way = {(row.model, row.way): row for row in rows}
    protobuf = [abs(deviation_percent(size, printed)) for _, what, printed, size in cells(rows) if "protobuf" in what]
    json = [abs(deviation_percent(size, printed)) for model, what, printed, size in cells(rows) if "JSON" in what]
    saved = 1 - by_way[YOLO, PAPER_PROTOBUF].both / by_way[YOLO, PAPER_JSON].both
    best = {row.model: row for row in sorted(rows, key=lambda row: -row.both) if row.way.startswith("ours")}
    worst = max(best[model].both / by_way[model, PAPER_PROTOBUF].both for model in TABLE_5)
    return [
        at_most("protobuf, largest deviation from the paper's Table 5", max(protobuf), 1, "%"),
        at_most("JSON, largest deviation from the paper's Table 5", max(json), 5, "%"),
        at_least(f"YOLO, saved by protobuf (paper {SAVED_BYTES_PERCENT[YOLO]} %)", saved * 100, 85, "%"),
        at_most("YOLO, exact, both ways", by_way[YOLO, OURS_IN_GRAPH].both / 1e6, 1.24, "MB"),
        at_most("YOLO, original JPEG, both ways", by_way[YOLO, OURS_FILE].both / 1e6, 0.15, "MB"),
        at_most("BERT, request for a text of 42 tokens", by_way[BERT, OURS_TEXT].request / 1e3, 0.3, "kB"),
        at_most("worst model, ours / the paper's protobuf", worst, 1, "times"),
    ]


def measure() -> Report:
    """Measure and compare."""
    rows = measured()
    picture = f"Picture: a photograph of 640 x 427 pixels as it was published, {len(original_upload()):,} bytes."
    text = f"Text: {four_models.TEXT_TOKENS} tokens, padded to {four_models.TOKENS}."
    return Report("bytes", [bytes_table(rows), paper_table(rows)], goals(rows), [picture, text])


def main() -> None:
    """Measure, print, and write tables and versions into a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: %(default)s")
    folder = parser.parse_args().folder
    report = measure()
    report.print()
    report.write(folder)
    print(f"written to {folder}")


if __name__ == "__main__":
    main()
