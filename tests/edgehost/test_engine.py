"""The provider under the real engine: preview, drift, repair, a lost host, destroy."""

import json
from pathlib import Path

import pytest

from tests.edgehost import engine
from tests.edgehost.disposable_host import DisposableHost, SshServer
from tests.edgehost.kubectl_stand_in import cluster, deletions

pytestmark = pytest.mark.timeout(600)

RESOURCES = """
conf = client.File("conf", host=edge1, path="/etc/kv/conf", content="wanted\\n", opts=options)
secret = client.File(
    "secret", host=edge1, path="/etc/kv/secret", content=pulumi.Output.secret("s3cret"), mode="0600", opts=options
)
settings = client.Sysctls("settings", host=edge1, settings={"net.ipv4.ip_forward": "1"}, opts=options)
# Known only after the first one is made: a preview of it holds an unknown content.
after = client.File("after", host=edge1, path="/etc/kv/after", content=conf.id, opts=options)
pulumi.export("architecture", client.get_facts(edge1, pulumi.InvokeOptions(provider=provider)).architecture)
"""


@pytest.fixture
async def program(server: SshServer, machine: DisposableHost, tmp_path: Path) -> engine.Program:
    """Return a project with a stack."""
    if not engine.is_there():
        pytest.skip("there is no engine on PATH; `make test-fast` brings one")
    folder = tmp_path / "program"
    folder.mkdir()
    login = server.login
    preamble = engine.PREAMBLE.format(port=server.port, key=login.private_key_file, known_hosts=login.known_hosts_file)
    program = engine.Program(folder, preamble, {"EDGEHOST_JOURNAL": str(tmp_path / "journal")})
    program.write(RESOURCES)
    await program.pulumi("stack", "init", "test")
    return program


def writes(tmp_path: Path) -> list[dict[str, str]]:
    """Return the journal's lines."""
    journal = tmp_path / "journal"
    return [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []


async def test_the_life_of_a_host(program: engine.Program, machine: DisposableHost, tmp_path: Path) -> None:
    said = await program.pulumi("preview")
    assert "+ 6 to create" in said
    assert writes(tmp_path) == []

    await program.pulumi("up", "--yes", "--skip-preview")
    assert machine.run("cat /etc/kv/conf /etc/kv/after") == "wanted\nedge1/File//etc/kv/conf"
    assert {line["step"] for line in writes(tmp_path)} == {"file-write", "sysctls-apply"}
    assert {line["host"] for line in writes(tmp_path)} == {"edge1"}
    assert "s3cret" not in await program.pulumi("stack", "export")
    assert "s3cret" not in (tmp_path / "journal").read_text()

    (tmp_path / "journal").unlink()
    await program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert writes(tmp_path) == []

    machine.run("echo by hand >> /etc/kv/conf; rm /etc/kv/secret; echo 0 > /proc/sys/net/ipv4/ip_forward")
    said = await program.pulumi("preview", "--diff", "--expect-no-changes", status=None)
    assert "- by hand" in said
    assert 'net.ipv4.ip_forward: "0" => "1"' in said
    assert "+ 1 to create" in said
    assert "~ 2 to update" in said

    await program.pulumi("up", "--yes", "--skip-preview")
    await program.pulumi("preview", "--expect-no-changes")

    await program.pulumi("destroy", "--yes", "--skip-preview")
    assert machine.run("ls -d /etc/kv /var/lib/edgehost 2>/dev/null || true") == ""
    assert machine.run("cat /proc/sys/net/ipv4/ip_forward") == "0\n"


async def test_a_host_that_does_not_answer_is_named_and_kept(
    program: engine.Program, machine: DisposableHost, server: SshServer
) -> None:
    await program.pulumi("up", "--yes", "--skip-preview")
    server.stop()

    said = await program.pulumi("preview", "--diff")
    assert said.count("warning: edge1 (127.0.0.1): connect: the host does not answer") == 1
    assert 'hostStatus: "unreachable" => "reachable"' in said
    assert "~ 4 to update" in said
    assert "to create" not in said
    assert "to delete" not in said

    said = await program.pulumi("up", "--yes", "--skip-preview", status=None)
    assert "error: edge1 (127.0.0.1): connect: the host does not answer on port" in said
    assert "Traceback" not in said
    assert 'File "' not in said

    said = await program.pulumi("destroy", "--yes", "--skip-preview", status=None)
    assert "so it stays in the stack" in said
    assert "EDGEHOST_FORGET_UNREACHABLE=1 pulumi destroy" in said
    assert "pulumi state delete 'urn:pulumi:test::hosts::edgehost:index:" in said

    await program.pulumi("destroy", "--yes", "--skip-preview", EDGEHOST_FORGET_UNREACHABLE="1")
    assert machine.run("cat /etc/kv/conf") == "wanted\n"


LOST = """
lost = {"name": "lost", "address": "127.0.0.2"}
client.NodeRelease("lost", host=lost, server=edge1, node_name="edge1", distribution="kubeadm", opts=options)
"""


async def test_of_a_host_that_is_forgotten_the_cluster_is_told(
    program: engine.Program, machine: DisposableHost
) -> None:
    cluster(machine, ready="True")
    program.write(LOST)
    await program.pulumi("up", "--yes", "--skip-preview")
    said = await program.pulumi("destroy", "--yes", "--skip-preview", status=None)
    assert "lost (127.0.0.2): connect, to delete: the host does not answer" in said
    assert deletions(machine) == []
    await program.pulumi("destroy", "--yes", "--skip-preview", EDGEHOST_FORGET_UNREACHABLE="1")
    assert [deletion.split()[0] for deletion in deletions(machine)] == ["node", "pods"]


async def test_bad_input_is_refused_without_a_traceback(program: engine.Program) -> None:
    program.write('client.File("x", host=edge1, path="etc/x", content="", opts=options)\n')
    said = await program.pulumi("preview", status=None)
    assert "'etc/x' is not the absolute path of a file" in said
    assert "Traceback" not in said


async def test_a_missing_key_file_is_found_before_any_host_is_asked(
    program: engine.Program, machine: DisposableHost
) -> None:
    said = await program.pulumi("preview", status=None, EDGEHOST_PRIVATE_KEY_FILE="/nowhere/id")
    assert "there is no readable file /nowhere/id" in said
    assert "Traceback" not in said
    assert machine.calls == []


async def test_what_failed_half_way_is_in_the_stack_and_tried_again(
    program: engine.Program, machine: DisposableHost
) -> None:
    machine.run("mkdir -p /etc/kv/conf")
    said = await program.pulumi("up", "--yes", "--skip-preview", status=None)
    assert "/etc/kv/conf is a folder" in said
    machine.run("rmdir /etc/kv/conf")
    await program.pulumi("up", "--yes", "--skip-preview")
    assert machine.run("cat /etc/kv/conf") == "wanted\n"
