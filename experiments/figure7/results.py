"""Results: the rows of the requests, what they say beside the paper, and the files of the figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.figure7.ways import JSON, OURS, PROTOBUF
from experiments.paper import SAVED_BYTES_PERCENT, SAVED_TIME_PERCENT
from experiments.quartiles import Quartiles, short
from experiments.tables import Table

WAYS = (JSON, PROTOBUF, OURS)


@dataclass(frozen=True)
class Row:
    """One request."""

    model: str
    way: str
    number: int
    milliseconds: float
    encode: float
    trip: float
    decode: float
    sent: int
    received: int


def times(rows: Sequence[Row]) -> dict[str, dict[str, list[float]]]:
    """Return per model and way the milliseconds of all requests."""
    models = dict.fromkeys(row.model for row in rows)
    return {
        model: {way: [row.milliseconds for row in rows if (row.model, row.way) == (model, way)] for way in WAYS}
        for model in models
    }


def saved_percent(before: float, after: float) -> float:
    """Return how much less `after` is than `before`, in per cent."""
    return (1 - after / before) * 100


def requests_table(rows: Sequence[Row]) -> Table:
    """Return every request."""
    columns = ("model", "way", "number", "milliseconds", "encode", "trip", "decode", "sent", "received")
    return Table("Requests", columns, [[getattr(row, column) for column in columns] for row in rows])


def summary_table(rows: Sequence[Row]) -> Table:
    """Return the medians with quartiles, and what is saved, beside what the paper says of protobuf."""
    columns = ("model", JSON, PROTOBUF, OURS, "protobuf saves", "paper's protobuf saves", "ours saves", "JSON / ours")
    table = Table("End to end, ms: median (quartiles) of the requests", columns)
    for model, by_way in times(rows).items():
        found = {way: Quartiles.of(values) for way, values in by_way.items()}
        json = found[JSON].median
        saved = [f"{saved_percent(json, found[way].median):.1f} %" for way in (PROTOBUF, OURS)]
        paper = SAVED_TIME_PERCENT.get(model)
        printed = "" if paper is None else f"{paper} %"
        table.add(model, *found.values(), saved[0], printed, saved[1], short(json / found[OURS].median))
    return table


def bytes_of(rows: Sequence[Row], model: str, way: str) -> int:
    """Return the bytes of a request and its answer."""
    row = next(row for row in rows if (row.model, row.way) == (model, way))
    return row.sent + row.received


def bytes_table(rows: Sequence[Row]) -> Table:
    """Return the bytes of a request and its answer at the sender, and what is saved."""
    columns = ("model", JSON, PROTOBUF, OURS, "protobuf saves", "paper's protobuf saves", "ours saves", "JSON / ours")
    table = Table("Bytes of a request and its answer at the sender", columns)
    for model in dict.fromkeys(row.model for row in rows):
        sizes = {way: bytes_of(rows, model, way) for way in WAYS}
        saved = [f"{saved_percent(sizes[JSON], sizes[way]):.1f} %" for way in (PROTOBUF, OURS)]
        paper = SAVED_BYTES_PERCENT.get(model)
        printed = "" if paper is None else f"{paper} %"
        table.add(model, *sizes.values(), saved[0], printed, saved[1], short(sizes[JSON] / sizes[OURS]))
    return table


def parts_table(rows: Sequence[Row]) -> Table:
    """Return where the time goes: the sender's coding and the trip."""
    table = Table("Parts, ms: medians", ("model", "way", "encode", "trip", "decode"))
    for model in dict.fromkeys(row.model for row in rows):
        for way in WAYS:
            mine = [row for row in rows if (row.model, row.way) == (model, way)]
            parts = (Quartiles.of(getattr(row, part) for row in mine).median for part in ("encode", "trip", "decode"))
            table.add(model, way, *(f"{part:.2f}" for part in parts))
    return table
