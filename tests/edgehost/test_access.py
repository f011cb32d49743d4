"""Entering a host: what is refused, when, and in which words."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from edgehost.address import HostAddress
from edgehost.errors import (
    AccessError,
    CommandFailed,
    CommandTimedOut,
    HostKeyMismatch,
    HostKeyUnknown,
    KeyFileError,
    KnownHostsError,
    LoginRefused,
    NotRoot,
    Unreachable,
)
from edgehost.facts import read_facts
from edgehost.host import Host, Hosts
from edgehost.login import Login
from tests.edgehost.conftest import URN, SilentLog
from tests.edgehost.disposable_host import DisposableHost, SshServer


async def refusal(login: Login, address: HostAddress, log: SilentLog) -> AccessError:
    """Return why a host is not entered with a login."""
    pool = Hosts(login, log)
    try:
        with pytest.raises(AccessError) as caught:
            await pool.at(address, URN).enter()
        return caught.value
    finally:
        await pool.close()


async def test_a_wrong_host_key_is_refused_before_anything_is_sent(
    server: SshServer, machine: DisposableHost, log: SilentLog
) -> None:
    known = machine.folder / "known_hosts"
    other = "AAAAC3NzaC1lZDI1NTE5AAAAIJ1ZAzPe7BRbsXEcKJpXKYVyy4nYjRGP4eBWvmPzqYwR"
    known.write_text(f"[127.0.0.1]:{server.port} ssh-ed25519 {other}\n")
    error = await refusal(server.login, server.address, log)
    assert isinstance(error, HostKeyMismatch)
    assert "edge1 (127.0.0.1): host key: the host showed SHA256:" in str(error)
    assert f"but {known} pins SHA256:" in str(error)
    assert "Nothing was sent to it and nothing was changed on it." in str(error)
    assert f"`ssh-keygen -f {known} -R 127.0.0.1`" in str(error)
    assert machine.calls == []


async def test_a_host_that_is_not_pinned_is_refused(server: SshServer, machine: DisposableHost, log: SilentLog) -> None:
    (machine.folder / "known_hosts").write_text("")
    error = await refusal(server.login, server.address, log)
    assert isinstance(error, HostKeyUnknown)
    assert "pins no key for 127.0.0.1; the host showed SHA256:" in str(error)
    assert f"ssh-keyscan -p {server.port} 127.0.0.1 >> " in str(error)
    assert machine.calls == []


async def test_a_key_that_the_host_does_not_know_is_refused(server: SshServer, log: SilentLog) -> None:
    error = await refusal(replace(server.login, private_key_file=str(server.other_key_file)), server.address, log)
    assert isinstance(error, LoginRefused)
    assert f"the host does not accept {server.other_key_file} for user root" in str(error)
    assert f"`ssh-copy-id -i {server.other_key_file} root@127.0.0.1`" in str(error)


async def test_a_user_who_is_not_root_and_has_no_sudo_is_refused(server: SshServer, log: SilentLog) -> None:
    error = await refusal(replace(server.login, user="nobody"), server.address, log)
    assert isinstance(error, NotRoot)
    assert "user nobody is not root and `sudo -n` asks for a password or is missing" in str(error)
    assert "/etc/sudoers.d/kubevc" in str(error)


async def test_a_user_with_sudo_works_as_root(server: SshServer, machine: DisposableHost, log: SilentLog) -> None:
    machine.allow_sudo()
    pool = Hosts(replace(server.login, user="nobody"), log)
    report = await pool.at(server.address, URN).read("file-read", FILE_PATH="/etc/shadow")
    await pool.close()
    assert report.one("owner") == "root"
    assert machine.calls[-1] == "sudo -n sh -s"


async def test_a_missing_key_file_is_named(server: SshServer, log: SilentLog) -> None:
    error = await refusal(replace(server.login, private_key_file="/nowhere/id"), server.address, log)
    assert isinstance(error, KeyFileError)
    assert str(error) == (
        "ssh > private-key-file: there is no readable file /nowhere/id. "
        "No host can be entered without the private key. "
        "Correct the path in the site's configuration, or set EDGEHOST_PRIVATE_KEY_FILE."
    )


async def test_a_file_that_is_no_key_is_named(server: SshServer, machine: DisposableHost, log: SilentLog) -> None:
    wrong = machine.folder / "wrong"
    wrong.write_text("hello")
    error = await refusal(replace(server.login, private_key_file=str(wrong)), server.address, log)
    assert isinstance(error, KeyFileError)
    assert f"{wrong} cannot be used as a private key" in str(error)


async def test_a_missing_known_hosts_file_is_named(server: SshServer, log: SilentLog) -> None:
    error = await refusal(replace(server.login, known_hosts_file="/nowhere/known_hosts"), server.address, log)
    assert isinstance(error, KnownHostsError)
    assert "there is no readable file /nowhere/known_hosts" in str(error)
    assert "EDGEHOST_KNOWN_HOSTS_FILE" in str(error)


async def test_a_host_that_does_not_answer_is_named(server: SshServer, log: SilentLog) -> None:
    error = await refusal(replace(server.login, port=1), server.address, log)
    assert isinstance(error, Unreachable)
    assert "edge1 (127.0.0.1): connect: the host does not answer on port 1 (" in str(error)
    assert "what was known about it is kept" in str(error)


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """Return a port that takes connections and never says a word."""
    writers: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    yield silent.sockets[0].getsockname()[1]
    for writer in writers:
        writer.close()
        await writer.wait_closed()
    silent.close()


async def test_twenty_resources_of_a_dead_host_wait_for_one_timeout(
    server: SshServer, log: SilentLog, silent_port: int
) -> None:
    pool = Hosts(replace(server.login, port=silent_port, connect_timeout_seconds=0.5), log)
    started = time.monotonic()
    results = await asyncio.gather(*(pool.at(server.address, URN).enter() for _ in range(20)), return_exceptions=True)
    assert time.monotonic() - started < 3
    assert {type(result) for result in results} == {Unreachable}
    await pool.close()


async def test_many_steps_share_one_connection_and_stay_below_sshd_limits(
    host: Host, server: SshServer, machine: DisposableHost
) -> None:
    await asyncio.gather(*(host.read("facts") for _ in range(30)))
    assert sum("id -u" in call for call in machine.calls) == 1


async def test_a_step_that_hangs_is_given_up(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgehost.host.compose", lambda *_, **__: "sleep 20")
    with pytest.raises(CommandTimedOut) as caught:
        await host.read("facts", timeout_seconds=0.5)
    assert "edge1 (127.0.0.1): facts: it did not end within 0.5 seconds." in str(caught.value)


async def test_a_failed_step_shows_the_end_of_what_it_said(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgehost.host.compose", lambda *_, **__: "echo boring; echo why >&2; exit 7")
    with pytest.raises(CommandFailed) as caught:
        await host.read("facts")
    assert "edge1 (127.0.0.1): facts: the step ended with status 7:\n  why\n" in str(caught.value)


def test_the_environment_goes_before_the_stack() -> None:
    environment = {"EDGEHOST_PRIVATE_KEY_FILE": "/a", "EDGEHOST_KNOWN_HOSTS_FILE": "/b"}
    login = Login(private_key_file="/old", known_hosts_file="/old").with_environment(environment)
    assert (login.private_key_file, login.known_hosts_file) == ("/a", "/b")


async def test_facts_tell_what_a_host_is(host: Host) -> None:
    facts = await read_facts(host)
    assert facts.reachable
    assert facts.root
    assert facts.architecture in ("amd64", "arm64")
    assert facts.memory_mib > 100
    assert abs(facts.clock_offset_seconds) < 2
    assert not facts.systemd


async def test_facts_of_an_unreachable_host_say_why(server: SshServer, log: SilentLog) -> None:
    facts = await read_facts(Hosts(replace(server.login, port=1), log).at(server.address, URN))
    assert not facts.reachable
    assert "does not answer on port 1" in facts.error
