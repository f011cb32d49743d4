"""Connections: those who dribble, flood, say nothing or take nothing are ended, and do not stop others."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from proxy.access.settings import Connections
from tests.proxy.access_server import AccessServer, access_server

REQUEST = b"POST /v1/models/a:predict HTTP/1.1\r\nhost: x\r\n"
EMPTY = REQUEST + b"content-length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[AccessServer]:
    """Run a server of little patience."""
    limits = Connections(head_seconds=0.5, idle_seconds=1.5, stalled_seconds=0.5, max_head_kib=4, max_headers=20)
    with access_server(connections=limits) as running:
        yield running


@contextlib.contextmanager
def connection(server: AccessServer) -> Iterator[socket.socket]:
    """Connect, for at most ten seconds."""
    with socket.create_connection(server.address, timeout=10) as plain:
        yield plain


def read_to_end(plain: socket.socket) -> bytes:
    """Return everything until the server closes."""
    pieces: list[bytes] = []
    with contextlib.suppress(ConnectionResetError):
        while piece := plain.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def read_answer(plain: socket.socket) -> bytes:
    """Return one answer of the test's application."""
    data = b""
    while b"}" not in data:
        piece = plain.recv(65536)
        assert piece
        data += piece
    return data


def check_refusal(answer: bytes, status: int, code: str) -> None:
    """Check that an answer is an error of the one form."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    assert b"\r\nconnection: close" in head
    document = json.loads(body)
    assert (document["status"], document["code"]) == (status, code)
    assert document["request_id"].encode() in head


def dribble(plain: socket.socket, piece: bytes, until_seconds: float = 8) -> float:
    """Send a piece every tenth of a second until the server has had enough; return how long it stood it."""
    start = time.monotonic()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while time.monotonic() - start < until_seconds:
            plain.sendall(piece)
            plain.settimeout(0.1)
            try:
                if plain.recv(65536, socket.MSG_PEEK) is not None:
                    break
            except TimeoutError:
                continue
    plain.settimeout(10)
    return time.monotonic() - start


@pytest.mark.parametrize("piece", [b"x-a: b\r\n", b"x"], ids=["headers", "one header"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "second"])
def test_a_head_that_dribbles(server: AccessServer, piece: bytes, first: bool) -> None:
    with connection(server) as plain:
        if not first:
            plain.sendall(EMPTY)
            read_answer(plain)
        plain.sendall(REQUEST)
        assert dribble(plain, piece) < 5
        check_refusal(read_to_end(plain), 408, "head-too-slow")


def test_empty_lines_are_no_way_to_keep_a_connection(server: AccessServer) -> None:
    with connection(server) as plain:
        plain.sendall(EMPTY)
        read_answer(plain)
        assert dribble(plain, b"\r\n") < 5
        check_refusal(read_to_end(plain), 408, "head-too-slow")


def test_the_rest_of_a_body_whose_answer_came_early(server: AccessServer) -> None:
    with connection(server) as plain:
        plain.sendall(REQUEST + b"content-length: 1000000\r\n\r\n")
        assert read_answer(plain).startswith(b"HTTP/1.1 200")
        assert dribble(plain, b"x") < 5
        assert read_to_end(plain) == b""


def test_a_body_that_ends_after_its_answer_leaves_the_connection_open(server: AccessServer) -> None:
    with connection(server) as plain:
        for _ in range(3):
            plain.sendall(REQUEST + b"content-length: 3\r\n\r\n")
            assert read_answer(plain).startswith(b"HTTP/1.1 200")
            time.sleep(0.2)
            plain.sendall(b"abc")
            # Longer than the patience with a head, shorter than that with silence.
            time.sleep(0.8)


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"x-%d: 1\r\n" % number for number in range(21)),
        b"x-long: " + b"a" * 5000 + b"\r\n",
        b"".join(b"x-%d: %s\r\n" % (number, b"a" * 500) for number in range(10)),
    ],
    ids=["many", "long", "together"],
)
def test_a_large_head(server: AccessServer, head: bytes) -> None:
    with connection(server) as plain:
        plain.sendall(REQUEST + head + b"\r\n")
        check_refusal(read_to_end(plain), 431, "head-too-large")


@pytest.mark.parametrize("start", [b"POST /", REQUEST + b"x-endless: "], ids=["address", "header"])
def test_an_endless_head(server: AccessServer, start: bytes) -> None:
    sent = 0
    with connection(server) as plain:
        plain.sendall(start)
        with contextlib.suppress(ConnectionError):
            for _ in range(2000):
                sent += plain.send(b"a" * 65536)
        assert sent < 20 * 2**20
        assert read_to_end(plain)[:12] in (b"HTTP/1.1 431", b"")
    assert server.refused[-1] == "head-too-large"


def test_endless_trailers_do_not_gather_in_memory(server: AccessServer) -> None:
    sent = 0
    with connection(server) as plain:
        plain.sendall(REQUEST + b"transfer-encoding: chunked\r\n\r\n0\r\nx-endless: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(2000):
                sent += plain.send(b"a" * 65536)
    assert sent < 20 * 2**20


def test_small_chunks_are_no_endless_head(server: AccessServer) -> None:
    with connection(server) as plain:
        plain.sendall(REQUEST + b"transfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20000 + b"0\r\n\r\n" + EMPTY)
        data = b""
        while data.count(b"HTTP/1.1 200") < 2:
            data += plain.recv(65536)


def test_what_is_no_http(server: AccessServer) -> None:
    with connection(server) as plain:
        plain.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        check_refusal(read_to_end(plain), 400, "invalid-http")


@pytest.mark.parametrize("used", [False, True])
def test_a_silent_connection_is_closed_without_a_word(server: AccessServer, used: bool) -> None:
    with connection(server) as plain:
        if used:
            plain.sendall(EMPTY)
            read_answer(plain)
        start = time.monotonic()
        assert read_to_end(plain) == b""
        assert time.monotonic() - start > (1.0 if used else 0.3)


def test_a_client_that_takes_nothing_of_its_answer_is_cut_off(server: AccessServer) -> None:
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.settimeout(10)
        plain.connect(server.address)
        plain.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
        time.sleep(2.5)
        assert len(read_to_end(plain)) < 64 * 2**20


def test_a_client_that_takes_its_answer_slowly_gets_all_of_it(server: AccessServer) -> None:
    size = 0
    with connection(server) as plain:
        plain.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
        until = time.monotonic() + 20
        while size < 64 * 2**20 and time.monotonic() < until:
            size += len(plain.recv(2**20))
            time.sleep(0.01)
    assert size >= 64 * 2**20


def test_pipelined_requests_are_all_answered(server: AccessServer) -> None:
    with connection(server) as plain:
        plain.sendall(EMPTY * 5)
        data = b""
        while data.count(b"HTTP/1.1 200") < 5:
            data += plain.recv(65536)


def first_byte(plain: socket.socket) -> bytes:
    """Return the first byte of what comes, or nothing from a closed connection; one with unread bytes is reset."""
    try:
        return plain.recv(1)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("sent", [b"", EMPTY, REQUEST], ids=["silent", "used", "dribbling"])
def test_hundreds_of_waiting_connections_do_not_stop_others(sent: bytes) -> None:
    limits = Connections(max_connections=100, head_seconds=60, idle_seconds=60)
    with access_server(connections=limits) as server, contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(connection(server)) for _ in range(200)]
        for plain in waiting:
            with contextlib.suppress(ConnectionError):
                plain.sendall(sent)
        url = f"http://127.0.0.1:{server.port}/v1/models/a:predict"
        for _ in range(20):
            assert httpx.post(url, trust_env=False).status_code == 200
        # Those that have waited longest made room.
        waiting[-1].settimeout(0.2)
        assert first_byte(waiting[0]) in ((b"", b"H") if sent == EMPTY else (b"",))


def test_no_room_is_made_where_every_connection_has_a_request() -> None:
    with access_server(connections=Connections(max_connections=1)) as server, connection(server) as busy:
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        busy.sendall(b"GET /held HTTP/1.1\r\nhost: x\r\n\r\n")
        time.sleep(0.3)
        with connection(server) as plain:
            answer = read_to_end(plain)
            check_refusal(answer, 503, "busy")
            assert b"retry-after: 1\r\n" in answer
