"""Pictures by address: a real server on loopback, names that the tests resolve themselves, and everything refused."""

from __future__ import annotations

import ssl
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import ValidationError

from proxy.deadline import Deadline
from proxy.errors import BodyTooLarge, DeadlineExceeded, InvalidAddress
from proxy.inputs.address import PictureFetcher, read_address, resolve_host
from proxy.inputs.address_settings import AddressSettings
from proxy.inputs.public_address import is_reachable
from tests.proxy.access_server import issue
from tests.proxy.pictures import photo

PICTURE = photo("chelsea.png")
LOOPBACK = {"allowed_networks": ("127.0.0.0/8",)}


class Pages(BaseHTTPRequestHandler):
    """Answer with pictures, redirects and nonsense; the path says which."""

    seen: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.server.seen.append((self.headers["Host"], self.path))
        kind, _, rest = self.path.partition("?")[0][1:].partition("/")
        getattr(self, f"give_{kind}")(rest)

    def give_picture(self, _: str) -> None:
        self._answer(200, PICTURE)

    def give_to(self, target: str) -> None:
        self._answer(302, b"", {"Location": target})

    def give_circle(self, _: str) -> None:
        self._answer(307, b"", {"Location": "/circle"})

    def give_status(self, status: str) -> None:
        self._answer(int(status), PICTURE)

    def give_compressed(self, _: str) -> None:
        self._answer(200, PICTURE, {"Content-Encoding": "gzip"})

    def give_endless(self, _: str) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(200):
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass

    def give_liar(self, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "999999999")
        self.end_headers()

    def give_cut(self, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(PICTURE)))
        self.end_headers()
        self.wfile.write(PICTURE[:1000])

    def give_slow(self, _: str) -> None:
        time.sleep(1)
        self._answer(200, PICTURE)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Remember what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.seen: list[tuple[str, str]] = []

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return self.server_address[1]


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server."""
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


class Names:
    """Resolve names from a table and count how often."""

    def __init__(self, table: dict[str, list[str]] | None = None) -> None:
        self.table = table or {}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        assert port > 0
        self.asked.append(host)
        if host in self.table:
            return self.table[host]
        if host.endswith(".example.org"):
            return ["127.0.0.1"]
        raise OSError("unknown")


@asynccontextmanager
async def fetching(
    server: Server, names: Callable | None = None, **settings: object
) -> AsyncIterator[Callable[..., object]]:
    """Yield a function that fetches a path of the server under a name."""
    document = AddressSettings.model_validate(
        {
            "allowed_hosts": ("a.example.org", "*.b.example.org"),
            "allowed_schemes": ("http",),
            "allowed_ports": (server.port,),
            **LOOPBACK,
            **settings,
        }
    )
    fetcher = PictureFetcher(document, names or Names())

    async def fetch(path: str, host: str = "a.example.org", seconds: float = 10) -> bytes:
        return await fetcher.fetch(f"http://{host}:{server.port}{path}", Deadline.after(seconds))

    try:
        yield fetch
    finally:
        await fetcher.close()


@pytest.mark.parametrize("host", ["a.example.org", "A.Example.ORG", "a.example.org.", "x.b.example.org"])
async def test_a_picture_of_an_allowed_host_is_fetched(server: Server, host: str) -> None:
    async with fetching(server) as fetch:
        assert await fetch("/picture?size=large", host) == PICTURE
    assert server.seen[0][1] == "/picture?size=large"
    assert server.seen[0][0].lower() == f"{host.lower()}:{server.port}"


@pytest.mark.parametrize(
    "host",
    ["b.example.org", "xa.example.org", "xb.example.org", "a.example.org.evil.org", "127.0.0.1", "[::1]", "2130706433"],
)
async def test_another_host_is_refused_without_being_looked_up(server: Server, host: str) -> None:
    names = Names()
    async with fetching(server, names) as fetch:
        with pytest.raises(InvalidAddress, match="It is not among the allowed ones"):
            await fetch("/picture", host)
    assert (names.asked, server.seen) == ([], [])


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("file:///etc/passwd", "the scheme 'file'"),
        ("https://a.example.org/", "the scheme 'https'"),
        ("//a.example.org/", "the scheme ''"),
        ("gopher://a.example.org/", "the scheme 'gopher'"),
        ("http://a.example.org/", "port 80"),
        ("http://a.example.org:22/", "port 22"),
        ("http://me:secret@a.example.org/", "a user name or password in it"),
        ("http://evil.org#@a.example.org/", "the host 'evil.org'"),
        ("http://evil.org\\@a.example.org/", "a user name or password in it"),
        ("http://a.example.org\r\nX: y/", "'http://a.example.org"),
        ("http://[::1", "'http://[::1'"),
        ("http://" + "a" * 3000, "3007 characters"),
        ("", "the scheme ''"),
    ],
)
async def test_an_address_of_another_form_is_refused(server: Server, address: str, found: str) -> None:
    document = AddressSettings(
        allowed_hosts=("a.example.org",), allowed_schemes=("http",), allowed_ports=(server.port,)
    )
    fetcher = PictureFetcher(document, Names())
    with pytest.raises(InvalidAddress) as refusal:
        await fetcher.fetch(address, Deadline.after(5))
    await fetcher.close()
    assert refusal.value.found.startswith(found)
    assert "secret" not in str(refusal.value)


async def test_a_name_that_leads_inside_is_refused(server: Server) -> None:
    names = Names({"a.example.org": ["93.184.215.14", "127.0.0.1"]})
    async with fetching(server, names, allowed_networks=()) as fetch:
        with pytest.raises(InvalidAddress, match="It leads to an address that is not public") as refusal:
            await fetch("/picture")
    assert "127.0.0.1" not in str(refusal.value)
    assert server.seen == []


async def test_a_name_is_looked_up_once_and_its_answer_is_what_is_connected_to(server: Server) -> None:
    """A name that means another address the second time finds no second time."""
    names = Names()
    async with fetching(server, names) as fetch:
        assert await fetch("/picture") == PICTURE
    assert names.asked == ["a.example.org"]


async def test_the_second_address_is_tried_when_the_first_does_not_answer(server: Server) -> None:
    async with fetching(server, Names({"a.example.org": ["127.0.0.9", "127.0.0.1"]})) as fetch:
        assert await fetch("/picture") == PICTURE


async def test_redirects_are_followed_to_where_they_may_lead(server: Server) -> None:
    async with fetching(server) as fetch:
        assert await fetch("/to//picture") == PICTURE
        assert await fetch(f"/to/http://x.b.example.org:{server.port}/picture") == PICTURE
    assert server.seen[-1] == (f"x.b.example.org:{server.port}", "/picture")


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("http://evil.org/", "the host 'evil.org'"),
        ("http://127.0.0.1/", "the host '127.0.0.1'"),
        ("//169.254.169.254/latest/meta-data", "the host '169.254.169.254'"),
        ("file:///etc/passwd", "the scheme 'file'"),
        ("http://a.example.org:22/", "port 22"),
        ("http://a.example.org:port/", "RemoteProtocolError"),
    ],
)
async def test_a_redirect_elsewhere_is_refused(server: Server, target: str, found: str) -> None:
    async with fetching(server) as fetch:
        with pytest.raises(InvalidAddress) as refusal:
            await fetch(f"/to/{target}")
    assert refusal.value.found == found
    assert len(server.seen) == 1


async def test_a_redirect_to_a_name_that_leads_inside_is_refused(server: Server) -> None:
    names = Names({"in.b.example.org": ["10.0.0.1"]})
    async with fetching(server, names) as fetch:
        with pytest.raises(InvalidAddress, match="not public"):
            await fetch(f"/to/http://in.b.example.org:{server.port}/picture")


async def test_a_circle_of_redirects_ends(server: Server) -> None:
    async with fetching(server) as fetch:
        with pytest.raises(InvalidAddress, match="more than 3 redirects"):
            await fetch("/circle")
    assert len(server.seen) == 4


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/status/404", "status 404"),
        ("/status/204", "status 204"),
        ("/compressed", "a compressed answer, which was not asked for"),
        ("/cut", "RemoteProtocolError"),
    ],
)
async def test_an_answer_that_is_no_file_is_an_error(server: Server, path: str, found: str) -> None:
    async with fetching(server) as fetch:
        with pytest.raises(InvalidAddress) as refusal:
            await fetch(path)
    assert (refusal.value.where, refusal.value.found) == ("address of a picture at a.example.org", found)


@pytest.mark.parametrize("path", ["/endless", "/liar"])
async def test_a_file_over_the_limit_is_refused_while_it_comes(server: Server, path: str) -> None:
    async with fetching(server, max_mib=0.5) as fetch:
        with pytest.raises(BodyTooLarge, match="more than 524288 bytes"):
            await fetch(path)


async def test_a_slow_host_is_given_up_at_the_deadline(server: Server) -> None:
    async with fetching(server) as fetch:
        with pytest.raises(DeadlineExceeded, match="picture being fetched"):
            await fetch("/slow", seconds=0.1)


@pytest.mark.parametrize(("table", "found"), [({"a.example.org": ["127.0.0.9"]}, "no connection"), ({}, "its name")])
async def test_a_host_that_cannot_be_reached_is_said_so(
    server: Server, table: dict[str, list[str]], found: str
) -> None:
    async with fetching(server, Names(table), allowed_hosts=("a.example.org", "nowhere.org")) as fetch:
        with pytest.raises(InvalidAddress, match=found):
            await fetch("/picture", "a.example.org" if table else "nowhere.org")


@pytest.mark.parametrize(("host", "fetched"), [("localhost", True), ("a.example.org", False)])
async def test_a_host_must_have_a_certificate_for_its_name(tmp_path: Path, host: str, fetched: bool) -> None:
    issued = issue(tmp_path, "localhost", authority=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate_file, issued.key_file)
    with serving() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        settings = AddressSettings.model_validate(
            {
                "allowed_hosts": (host,),
                "allowed_ports": (server.port,),
                "certificates": issued.certificate_file,
                **LOOPBACK,
            }
        )
        fetcher = PictureFetcher(settings, Names({host: ["127.0.0.1"]}))
        try:
            assert await fetcher.fetch(f"https://{host}:{server.port}/picture", Deadline.after(10)) == PICTURE
            assert fetched
        except InvalidAddress as error:
            assert (fetched, error.found) == (False, "no connection")
        finally:
            await fetcher.close()


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2001:4860:4860::8888"],
)
def test_public_addresses_are_reachable(address: str) -> None:
    assert is_reachable(address, ())


@pytest.mark.parametrize(
    "address",
    [
        *(
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
        ),
        *("172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"),
        *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
        *("168.63.129.16", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:db8::1"),
        *(
            "2002:7f00:1::",
            "2002:808:808::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fe80::1%eth0",
            "fec0::1",
            "ff02::1",
        ),
        *("", "localhost", "1", "0x7f.1", "127.1", "5f00::1", "3fff::1"),
    ],
)
def test_no_other_address_is_reachable(address: str) -> None:
    assert not is_reachable(address, ())


def test_wanted_networks_are_reachable_also_through_ipv6() -> None:
    wanted = AddressSettings.model_validate({"allowed_networks": ["10.1.0.0/16", "fd12::/32"]}).allowed_networks
    reachable = ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd12::7"]
    assert [is_reachable(address, wanted) for address in reachable] == [True] * 4
    assert [is_reachable(address, wanted) for address in ("10.2.0.1", "fd13::7", "127.0.0.1")] == [False] * 3


@pytest.mark.parametrize(
    "host", ["", "*.", "*", "*.*.org", "http://a.org", "a.org/", "me@a.org", "A.org", "ü.org", "a b"]
)
def test_an_allowed_host_must_be_a_name(host: str) -> None:
    with pytest.raises(ValidationError, match="is no host name"):
        AddressSettings(allowed_hosts=(host,))


def test_nothing_is_allowed_until_a_host_is_named() -> None:
    assert not AddressSettings().enabled
    assert AddressSettings(allowed_hosts=("a.org",)).enabled


@pytest.mark.parametrize(
    ("body", "address"),
    [
        (b"https://a.org/x.jpg", "https://a.org/x.jpg"),
        (b"# a picture\r\nhttps://a.org/x.jpg\r\n\r\n", "https://a.org/x.jpg"),
    ],
)
def test_a_list_of_one_address_is_read(body: bytes, address: str) -> None:
    assert read_address(body) == address


@pytest.mark.parametrize("body", [b"", b"# nothing\n", b"https://a.org\nhttps://b.org\n", b"x" * 100_000])
def test_a_list_of_another_number_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidAddress, match="One request names one picture"):
        read_address(body)


async def test_the_system_resolves_names() -> None:
    assert await resolve_host("127.0.0.1", 80) == ["127.0.0.1"]
    with pytest.raises(OSError):
        await resolve_host("no-such-name.invalid", 80)


def test_the_settings_alone_do_not_load_a_client() -> None:
    code = "import sys, proxy.inputs.address, proxy.inputs.address_settings; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
