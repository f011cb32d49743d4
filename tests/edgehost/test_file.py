"""Files on a real host."""

from dataclasses import replace

import pytest

from edgehost.address import HostAddress
from edgehost.errors import CommandFailed
from edgehost.host import Host
from edgehost.resources.file import File, FileInputs
from tests.edgehost.disposable_host import DisposableHost, SshServer

ODD = "a 'quoted' \"line\" with $HOME, `id` and \\\n\n\ttab, ümläut\n\n"


@pytest.fixture
def wanted(server: SshServer) -> FileInputs:
    return FileInputs(host=server.address, path="/etc/kv/deep/odd.conf", content=ODD, mode="0640")


async def test_a_file_is_written_as_given_and_read_back_equal(
    host: Host, machine: DisposableHost, wanted: FileInputs
) -> None:
    state = await File().create(host, wanted)
    assert machine.run(f"cat {wanted.path}") == ODD
    assert machine.run(f"stat -c '%a %U %G' {wanted.path}").split() == ["640", "root", "root"]
    assert await File().read(host, state) == wanted


async def test_drift_of_content_and_mode_is_found(host: Host, machine: DisposableHost, wanted: FileInputs) -> None:
    await File().create(host, wanted)
    machine.run(f"echo more >> {wanted.path}; chmod 0600 {wanted.path}")
    found = await File().read(host, wanted)
    assert found == replace(wanted, content=ODD + "more\n", mode="0600")
    await File().update(host, found, wanted)
    assert await File().read(host, wanted) == wanted


async def test_a_removed_file_is_gone(host: Host, machine: DisposableHost, wanted: FileInputs) -> None:
    await File().create(host, wanted)
    machine.run(f"rm {wanted.path}")
    assert await File().read(host, wanted) is None


async def test_delete_removes_the_folders_that_came_with_it_and_no_others(
    host: Host, machine: DisposableHost, wanted: FileInputs
) -> None:
    other = replace(wanted, path="/etc/kv/other")
    await File().create(host, wanted)
    await File().create(host, other)
    await File().delete(host, wanted)
    assert machine.run("ls /etc/kv") == "other\n"
    await File().delete(host, other)
    assert machine.run("ls -d /etc/kv /var/lib/edgehost 2>/dev/null || true") == ""


async def test_delete_puts_back_what_stood_there_before(
    host: Host, machine: DisposableHost, wanted: FileInputs
) -> None:
    machine.write("/etc/before.conf", "theirs\n")
    machine.run("chmod 0604 /etc/before.conf; chown 7:8 /etc/before.conf")
    ours = replace(wanted, path="/etc/before.conf")
    await File().create(host, ours)
    # Made again after it was lost from the stack's state: what is there now is ours, not theirs.
    await File().create(host, ours)
    await File().delete(host, ours)
    assert machine.run("cat /etc/before.conf; stat -c '%a %u %g' /etc/before.conf") == "theirs\n604 7 8\n"


async def test_a_folder_in_its_place_is_refused(host: Host, machine: DisposableHost, wanted: FileInputs) -> None:
    machine.run(f"mkdir -p {wanted.path}")
    with pytest.raises(CommandFailed) as refusal:
        await File().create(host, wanted)
    assert "edge1 (127.0.0.1): file-write: /etc/kv/deep/odd.conf is a folder." in str(refusal.value)
    assert "mv /etc/kv/deep/odd.conf /etc/kv/deep/odd.conf.old" in str(refusal.value)


async def test_a_full_disk_leaves_the_old_file(host: Host, machine: DisposableHost, wanted: FileInputs) -> None:
    machine.run("mkdir /small && mount -t tmpfs -o size=64k tmpfs /small && echo old > /small/f")
    with pytest.raises(Exception, match="a file system of the host is full"):
        await File().create(host, replace(wanted, path="/small/f", content="x" * 200_000))
    assert machine.run("ls -A /small; cat /small/f") == "f\nold\n"


async def test_no_content_is_in_a_command_line(host: Host, machine: DisposableHost, wanted: FileInputs) -> None:
    await File().create(host, replace(wanted, content="s3cret-content"))
    assert machine.calls
    assert not any("s3cret-content" in call for call in machine.calls)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"path": "etc/x"}, "path: 'etc/x' is not the absolute path of a file"),
        ({"path": "/etc/"}, "path: '/etc/' is not the absolute path of a file"),
        ({"mode": "644"}, "mode: '644' is not four octal digits"),
        ({"mode": "0999"}, "mode: '0999' is not four octal digits"),
    ],
)
def test_arguments_that_cannot_be_right(change: dict[str, str], said: str) -> None:
    given = {"path": "/etc/x", "content": "", "mode": "0644", **change}
    problems = File().check(FileInputs(host=HostAddress(name="edge1", address="127.0.0.1"), **given))
    assert [said in str(problem) for problem in problems] == [True]
