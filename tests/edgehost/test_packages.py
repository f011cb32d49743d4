"""Packages by the real apt, from a repository of the test's own inside the host."""

from dataclasses import replace

import pytest

from edgehost.address import HostAddress
from edgehost.errors import CommandFailed
from edgehost.host import Host
from edgehost.resources.packages import Packages, PackagesInputs
from tests.edgehost.disposable_host import DisposableHost, SshServer

REPOSITORY = """
set -eu
mkdir -p /repository && cd /repository
make_package() {
  rm -rf build && mkdir -p build/DEBIAN build/etc/$1
  printf 'Package: %s\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: nobody <n@example.org>\\nDescription: x\\n%s' \
    "$1" "${2:+Depends: $2
}" > build/DEBIAN/control
  echo setting > build/etc/$1/conf && echo /etc/$1/conf > build/DEBIAN/conffiles
  printf '#!/bin/sh\\nmkdir -p /var/lib/%s/data\\n' "$1" > build/DEBIAN/postinst && chmod 755 build/DEBIAN/postinst
  dpkg-deb --root-owner-group -b build $1.deb >/dev/null
}
make_package kv-library
make_package kv-tool kv-library
make_package kv-other kv-library
make_package kv-plain
for deb in *.deb; do
  dpkg-deb -f $deb
  printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' $deb $(stat -c %s $deb) $(sha256sum $deb | cut -d' ' -f1)
done > Packages
rm -rf /etc/apt/sources.list* /var/lib/apt/lists/* /etc/apt/apt.conf.d/*proxy*
echo 'deb [trusted=yes] file:/repository ./' > /etc/apt/sources.list
"""


@pytest.fixture
def wanted(server: SshServer, machine: DisposableHost) -> PackagesInputs:
    machine.run(REPOSITORY)
    return PackagesInputs(host=server.address, names=["kv-tool", "kv-plain"])


def installed(machine: DisposableHost) -> list[str]:
    """List the repository's packages that dpkg knows at all."""
    return machine.run("dpkg-query -W -f='${Package}\\n' 'kv-*' 2>/dev/null || true").split()


async def test_packages_are_installed_with_what_they_need(
    host: Host, machine: DisposableHost, wanted: PackagesInputs
) -> None:
    state = await Packages().create(host, wanted)
    assert state.installed == ["kv-library", "kv-plain", "kv-tool"]
    assert installed(machine) == state.installed
    assert await Packages().read(host, state) == state


async def test_a_removed_package_is_missing_by_name(
    host: Host, machine: DisposableHost, wanted: PackagesInputs
) -> None:
    state = await Packages().create(host, wanted)
    machine.run("dpkg -r kv-tool >/dev/null")
    found = await Packages().read(host, state)
    assert found is not None
    assert found.names == ["kv-plain"]
    again = await Packages().update(host, found, wanted)
    assert await Packages().read(host, again) == again
    assert again.installed == state.installed


async def test_delete_purges_what_was_added_and_nothing_else(
    host: Host, machine: DisposableHost, wanted: PackagesInputs
) -> None:
    machine.run("apt-get -qq update && apt-get -qq install kv-plain >/dev/null 2>&1")
    state = await Packages().create(host, wanted)
    assert state.installed == ["kv-library", "kv-tool"]
    await Packages().delete(host, state)
    assert installed(machine) == ["kv-plain"]
    assert machine.run("ls -d /etc/kv-* /var/lib/kv-* /var/lib/edgehost 2>/dev/null || true").split() == [
        "/etc/kv-plain",
        "/var/lib/kv-plain",
    ]


async def test_delete_keeps_what_something_else_needs_by_now(
    host: Host, machine: DisposableHost, wanted: PackagesInputs, log: object
) -> None:
    state = await Packages().create(host, wanted)
    machine.run("apt-get -qq install kv-other >/dev/null 2>&1")
    await Packages().delete(host, state)
    assert installed(machine) == ["kv-library", "kv-other"]
    assert any("needs them now: kv-library" in line for line in getattr(log, "lines", []))


async def test_a_name_that_is_dropped_is_purged(host: Host, machine: DisposableHost, wanted: PackagesInputs) -> None:
    state = await Packages().create(host, wanted)
    fewer = await Packages().update(host, state, replace(wanted, names=["kv-tool"]))
    assert installed(machine) == ["kv-library", "kv-tool"]
    assert fewer.installed == ["kv-library", "kv-tool"]


async def test_a_run_that_died_half_way_is_still_undone(
    host: Host, machine: DisposableHost, wanted: PackagesInputs
) -> None:
    begun = Packages().begun(wanted)
    record = f"/var/lib/edgehost/packages/{begun.record}"
    machine.run(
        f"mkdir -p /var/lib/edgehost/packages; dpkg-query -W -f='${{binary:Package}}\\n' | sort > {record}.before"
    )
    machine.run("apt-get -qq update && apt-get -qq install kv-tool >/dev/null 2>&1")
    state = await Packages().create(host, wanted)
    assert state.installed == ["kv-library", "kv-plain", "kv-tool"]


async def test_an_unknown_package_shows_what_apt_said(host: Host, wanted: PackagesInputs) -> None:
    with pytest.raises(CommandFailed) as refusal:
        await Packages().create(host, replace(wanted, names=["kv-none"]))
    assert "edge1 (127.0.0.1): packages-install: the step ended with status" in str(refusal.value)
    assert "Unable to locate package kv-none" in str(refusal.value)


@pytest.mark.parametrize("name", ["", "Curl", "curl -y", "curl=1.0"])
def test_names_that_cannot_be_right(name: str) -> None:
    inputs = PackagesInputs(host=HostAddress(name="edge1", address="127.0.0.1"), names=[name])
    assert f"names: {name!r} is not the name of a Debian package" in str(Packages().check(inputs)[0])
