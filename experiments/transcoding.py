"""Measure how fast large tensors become JSON and back, beside Envoy's transcoder, protobuf's own JSON and Python's.

    python -m experiments.transcoding [--repeats 15]

Out: an answer of 25200 x 85 float32, as tensorflow_model_server writes it (`float_val`), asked for with a few numbers.
The proxy's codec is what its stages say of reading the message and writing the JSON; Envoy says nothing of the kind, so
its codec is its whole trip less the trip of the same message to a gRPC client that does not read it. Its trip holds
the sending of the JSON, ours of the codec does not; the whole trips, which hold the same for both, stand beside.

The view: the bytes of such an answer to a numpy array, in this process; for both forms that a tensor can have.

In: 640 x 640 x 3 numbers as Python writes them; the array that reaches the model is compared bit by bit.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import grpc
import numpy as np

from experiments.goals import at_least, at_most
from experiments.loopback_model import (
    DEFAULT_SIGNATURE,
    FLOAT,
    SERVICE,
    UNLIMITED,
    LoopbackServer,
    Signature,
    answering,
    write_answer,
    write_request,
)
from experiments.proxy_process import Answered, RunningProxy, running_proxy
from experiments.quartiles import Quartiles, short, timed
from experiments.report import Report
from experiments.rivals.envoy import Envoy, transcoding
from experiments.rivals.generic_json import as_json
from experiments.rivals.naive import NaiveProxy, naive_proxy, named_request
from experiments.tables import Table
from protos.stubs.tensorflow_serving.apis.predict_pb2 import PredictRequest
from proxy.wire.predictions import read_predict_response

ANSWER_SHAPE, PICTURE_SHAPE = (1, 25200, 85), (1, 640, 640, 3)
LARGE_ANSWER, LARGE_REQUEST = "large-answer", "large-request"
SMALL = np.zeros((1, 4), np.float32)
CODEC_STAGES = ("decode-answer", "postprocess", "write")
JSON = {"content-type": "application/json", "accept": "application/json"}
VIEW_REPEATS = 20
GENERIC_REPEATS = 3
"""protobuf's own JSON takes seconds."""


def models() -> dict[str, dict[str, Signature]]:
    """Return a model with a large answer and one with a large input."""
    random = np.random.default_rng(0)
    answer = random.random(ANSWER_SHAPE, np.float32)
    large_answer = Signature({"x": (FLOAT, (-1, 4))}, {"output": answer})
    large_request = Signature({"images": (FLOAT, PICTURE_SHAPE)}, {"y": SMALL})
    return {
        LARGE_ANSWER: {DEFAULT_SIGNATURE: large_answer},
        LARGE_REQUEST: {DEFAULT_SIGNATURE: large_request},
    }


def envoy_request() -> bytes:
    """Return the small request in protobuf's JSON."""
    tensor = {"dtype": "DT_FLOAT", "tensorShape": {"dim": [{"size": "1"}, {"size": "4"}]}, "floatVal": [0, 0, 0, 0]}
    spec = {"name": LARGE_ANSWER, "signatureName": DEFAULT_SIGNATURE}
    return json.dumps({"modelSpec": spec, "inputs": {"x": tensor}}).encode()


def codec_milliseconds(answered: Answered) -> float:
    """Return the time of reading the message and writing the JSON."""
    return sum(answered.stages.get(stage, 0.0) for stage in CODEC_STAGES)


class Grpc:
    """A gRPC client that takes an answer's bytes and does not read them."""

    def __init__(self, target: str) -> None:
        self._channel = grpc.insecure_channel(target, UNLIMITED)
        self._call = self._channel.unary_unary(f"/{SERVICE}/Predict")

    def predict(self, request: bytes) -> float:
        """Return the milliseconds of a call."""
        start = time.perf_counter()
        self._call(request, timeout=60)
        return (time.perf_counter() - start) * 1000

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()


def measure_out(
    server: LoopbackServer, proxy: RunningProxy, envoy: Envoy, naive: NaiveProxy, repeats: int
) -> tuple[Table, dict[str, float]]:
    """Have a large answer written as JSON in all ways, in turns.

    Returns:
        The table, and the medians of the codecs in ms.
    """
    small, request = named_request({"x": SMALL}), write_request(LARGE_ANSWER, {"x": SMALL})
    trips: dict[str, list[float]] = {"ours": [], "envoy": [], "naive": [], "grpc": []}
    codecs: dict[str, list[float]] = {"ours": [], "naive": []}
    sizes: dict[str, int] = {}
    straight = Grpc(server.target)
    for turn in range(repeats + 1):
        ours, theirs = proxy.post(LARGE_ANSWER, small, JSON), envoy.predict(envoy_request())
        slow, bare = naive.post(LARGE_ANSWER, small), straight.predict(request)
        if turn:
            for name, trip in (("ours", ours), ("envoy", theirs), ("naive", slow)):
                trips[name].append(trip.milliseconds)
                sizes[name] = len(trip.body)
            trips["grpc"].append(bare)
            codecs["ours"].append(codec_milliseconds(ours))
            codecs["naive"].append(slow.codec_milliseconds)
    straight.close()
    message = server.exchanged[LARGE_ANSWER].answer
    sizes["generic"] = len(as_json(message))
    codecs["generic"] = timed(lambda: as_json(message), GENERIC_REPEATS, warm_up=0)
    bare_median = Quartiles.of(trips["grpc"]).median
    codecs["envoy"] = [trip - bare_median for trip in trips["envoy"]]
    return _out_table(trips, codecs, sizes), {name: Quartiles.of(times).median for name, times in codecs.items()}


def _out_table(trips: dict[str, list[float]], codecs: dict[str, list[float]], sizes: dict[str, int]) -> Table:
    title = f"25200 x 85 float32 ({4 * np.prod(ANSWER_SHAPE) / 1e6:.2f} MB) to JSON numbers, ms"
    table = Table(title, ("way", "codec", "whole trip", "codec / ours", "trip / ours", "JSON, MB"))
    best_codec, best_trip = Quartiles.of(codecs["ours"]).median, Quartiles.of(trips["ours"]).median
    names = {
        "ours": "the proxy",
        "envoy": "Envoy's gRPC-JSON transcoder",
        "naive": "naive proxy (make_ndarray, tolist, json)",
        "generic": "protobuf's json_format",
    }
    for key, name in names.items():
        codec = Quartiles.of(codecs[key])
        trip = Quartiles.of(trips[key]) if key in trips else None
        times = "" if trip is None else short(trip.median / best_trip)
        table.add(name, codec, trip or "", short(codec.median / best_codec), times, f"{sizes[key] / 1e6:.1f}")
    table.add("the message to a gRPC client, unread", "", Quartiles.of(trips["grpc"]), "", "", "")
    return table


def measure_in(server: LoopbackServer, proxy: RunningProxy, repeats: int) -> tuple[Table, float, bool]:
    """Have JSON numbers read by the proxy and by Python's json with numpy, in turns.

    Returns:
        The table, how many times faster the proxy is, and whether its array is equal to the bit.
    """
    array = np.random.default_rng(0).random(PICTURE_SHAPE, np.float32)
    body = named_request({"images": array})
    ours, theirs, equal = [], [], True
    for turn in range(repeats + 1):
        answered = proxy.post(LARGE_REQUEST, body, JSON)
        plain = timed(lambda: np.array(json.loads(body)["inputs"]["images"], np.float32), 1, warm_up=0)[0]
        sent = PredictRequest.FromString(server.exchanged[LARGE_REQUEST].request).inputs["images"].tensor_content
        equal &= sent == array.tobytes()
        if turn:
            ours.append(answered.stages["decode"])
            theirs.append(plain)
    fast, slow = Quartiles.of(ours), Quartiles.of(theirs)
    times = slow.median / fast.median
    table = Table(f"640 x 640 x 3 JSON numbers ({len(body) / 1e6:.1f} MB) to float32, ms", ("way", "time", "times"))
    table.add("the proxy", fast, short(times))
    table.add("json.loads and np.array", slow, 1)
    return table, times, equal


def measure_view(repeats: int) -> tuple[Table, float]:
    """Read the large answer from the wire many times.

    Returns:
        The table, and the larger of the two medians in ms.
    """
    outputs = models()[LARGE_ANSWER][DEFAULT_SIGNATURE].outputs
    table = Table(f"{4 * np.prod(ANSWER_SHAPE) / 1e6:.2f} MB on the wire to a numpy view, ms", ("form", "time"))
    medians = []
    for form, lists in (("tensor_content", False), ("float_val", True)):
        message = write_answer(LARGE_ANSWER, outputs, lists)
        if not np.array_equal(read_predict_response(message).outputs["output"], outputs["output"]):
            raise RuntimeError(f"{form}: the view holds other numbers than the message")
        found = Quartiles.of(timed(partial(read_predict_response, message), VIEW_REPEATS * repeats, VIEW_REPEATS))
        table.add(form, found)
        medians.append(found.median)
    return table, max(medians)


@contextmanager
def everything() -> Iterator[tuple[LoopbackServer, RunningProxy, Envoy, NaiveProxy]]:
    """Run the model server and the three in front of it."""
    with ExitStack() as stack:
        server = stack.enter_context(answering(models(), lists=True))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        entries = [{"name": name, "target": server.target} for name in models()]
        proxy = stack.enter_context(running_proxy(folder, entries))
        envoy = stack.enter_context(transcoding(server.target))
        naive = stack.enter_context(naive_proxy(server.target))
        yield server, proxy, envoy, naive


def measure(repeats: int = 15) -> Report:
    """Measure both directions."""
    with everything() as (server, proxy, envoy, naive):
        out, codecs = measure_out(server, proxy, envoy, naive, repeats)
        into, times, equal = measure_in(server, proxy, repeats)
    view, milliseconds = measure_view(repeats)
    goals = [
        at_least("answer to JSON, Envoy / ours", codecs["envoy"] / codecs["ours"], 10),
        at_least("answer to JSON, json_format / ours", codecs["generic"] / codecs["ours"], 100),
        at_least("JSON numbers in, json and numpy / ours", times, 15),
        at_least("JSON numbers in, equal to the bit", float(equal), 1, "(1 is yes)"),
    ]
    goals.append(at_most("answer from the wire to a view", milliseconds, 0.1, "ms"))
    return Report("transcoding", [out, into, view], goals)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15, help="requests per way")
    measure(parser.parse_args().repeats).print()


if __name__ == "__main__":
    main()
