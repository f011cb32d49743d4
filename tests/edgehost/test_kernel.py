"""Kernel settings, features, swap and cgroup controllers."""

from dataclasses import replace

import pytest

from edgehost.adapter import dump
from edgehost.address import HostAddress
from edgehost.difference import compare
from edgehost.errors import CommandFailed, RebootNeeded
from edgehost.host import Host
from edgehost.resources.cgroup_controllers import CgroupControllers, CgroupControllersInputs
from edgehost.resources.kernel_features import KernelFeatures, KernelFeaturesInputs
from edgehost.resources.swap_off import SwapOff, SwapOffInputs
from edgehost.resources.sysctls import FILE_PATH, Sysctls, SysctlsInputs
from tests.edgehost.disposable_host import DisposableHost, SshServer

FORWARD = "net.ipv4.ip_forward"
PORTS = "net.ipv4.ip_local_port_range"


@pytest.fixture
def settings(server: SshServer) -> SysctlsInputs:
    return Sysctls().complete(SysctlsInputs(host=server.address, settings={FORWARD: "1", PORTS: "20000 \t 60000"}))


def live(machine: DisposableHost, path: str) -> str:
    """Return a setting as the host's kernel has it."""
    return machine.run(f"cat /proc/sys/{path}").strip()


async def test_settings_are_set_now_and_for_every_start(
    host: Host, machine: DisposableHost, settings: SysctlsInputs
) -> None:
    state = await Sysctls().create(host, settings)
    assert live(machine, "net/ipv4/ip_forward") == "1"
    assert f"{PORTS} = 20000 60000\n" in machine.run(f"cat {FILE_PATH}")
    assert await Sysctls().read(host, state) == settings


async def test_a_setting_changed_by_hand_is_found(host: Host, machine: DisposableHost, settings: SysctlsInputs) -> None:
    await Sysctls().create(host, settings)
    machine.run(f"echo 0 > /proc/sys/net/ipv4/ip_forward; echo >> {FILE_PATH}")
    found = await Sysctls().read(host, settings)
    assert found == replace(settings, settings={**settings.settings, FORWARD: "0"}, persistent=False)
    await Sysctls().update(host, found, settings)
    assert await Sysctls().read(host, settings) == settings


async def test_delete_puts_the_former_values_back(host: Host, machine: DisposableHost, settings: SysctlsInputs) -> None:
    before = live(machine, "net/ipv4/ip_forward"), live(machine, "net/ipv4/ip_local_port_range")
    await Sysctls().create(host, settings)
    await Sysctls().update(host, settings, settings)
    machine.run("echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet")
    await Sysctls().delete(host, settings)
    assert (live(machine, "net/ipv4/ip_forward"), live(machine, "net/ipv4/ip_local_port_range")) == before
    # What a cluster changes by itself comes back as well.
    assert live(machine, "net/ipv4/conf/all/route_localnet") == "0"
    assert machine.run(f"ls -d {FILE_PATH} /var/lib/edgehost 2>/dev/null || true") == ""


async def test_a_setting_that_is_dropped_gets_its_former_value(
    host: Host, machine: DisposableHost, settings: SysctlsInputs
) -> None:
    await Sysctls().create(host, settings)
    await Sysctls().update(host, settings, replace(settings, settings={PORTS: "20000 60000"}))
    assert live(machine, "net/ipv4/ip_forward") == "0"


async def test_a_setting_that_the_kernel_lacks_is_named(
    host: Host, machine: DisposableHost, settings: SysctlsInputs
) -> None:
    with pytest.raises(CommandFailed) as refusal:
        await Sysctls().create(host, replace(settings, settings={FORWARD: "1", "net.bridge.nothing": "1"}))
    assert "the kernel has no setting net.bridge.nothing." in str(refusal.value)
    assert "net.bridge.* needs br_netfilter" in str(refusal.value)
    assert live(machine, "net/ipv4/ip_forward") == "0"


async def test_a_value_that_the_kernel_refuses_is_named(host: Host, settings: SysctlsInputs) -> None:
    with pytest.raises(CommandFailed, match=f"{PORTS} was set to 9 1 but reads "):
        await Sysctls().create(host, replace(settings, settings={PORTS: "9 1"}))


def test_names_of_settings_that_cannot_be_right() -> None:
    inputs = SysctlsInputs(host=HostAddress(name="edge1", address="127.0.0.1"), settings={"net/../x": "1", "a b": "1"})
    assert len(Sysctls().check(inputs)) == 2


async def test_features_are_found_built_in_and_missing_ones_named(host: Host, server: SshServer) -> None:
    wanted = KernelFeaturesInputs(host=server.address, names=["overlay"])
    await KernelFeatures().create(host, wanted)
    assert await KernelFeatures().read(host, wanted) == wanted
    with pytest.raises(CommandFailed) as refusal:
        await KernelFeatures().create(host, replace(wanted, names=["overlay", "no_such_feature"]))
    assert "the kernel has no feature no_such_feature, neither built in nor as a module" in str(refusal.value)


async def test_swap_in_fstab_is_taken_out_and_put_back(host: Host, machine: DisposableHost, server: SshServer) -> None:
    lines = "UUID=1 / ext4 defaults 0 1\nUUID=2 none swap sw 0 0\n# none swap\n"
    machine.write("/etc/fstab", lines)
    # There is no systemd in this host; it is only told to look at fstab again.
    machine.write("/usr/bin/systemctl", "#!/bin/sh\nexit 0\n")
    machine.run("chmod 755 /usr/bin/systemctl")
    wanted = SwapOffInputs(host=server.address)
    assert await SwapOff().read(host, wanted) == replace(wanted, at_start=["UUID=2"])
    await SwapOff().create(host, wanted)
    assert machine.run("cat /etc/fstab") == lines.replace("UUID=2", "#kubevc# UUID=2")
    assert await SwapOff().read(host, wanted) == wanted
    await SwapOff().delete(host, wanted)
    assert machine.run("cat /etc/fstab; ls -d /var/lib/edgehost 2>/dev/null || true") == lines


async def test_swap_that_is_on_again_after_a_start_shows_as_drift(
    host: Host, machine: DisposableHost, server: SshServer
) -> None:
    machine.run("echo Filename > /run/swaps; mount --bind /run/swaps /proc/swaps; : > /etc/fstab")
    wanted = SwapOffInputs(host=server.address)
    state = await SwapOff().create(host, wanted)
    found = await SwapOff().read(host, state)
    assert not compare(SwapOff(), dump(found), dump(wanted)).changes
    machine.run("echo '/swap.img file 1048572 0 -2' >> /run/swaps")
    machine.write("/etc/fstab", "/swap.img none swap sw 0 0\n")
    found = await SwapOff().read(host, state)
    assert found == replace(wanted, active=["/swap.img"], at_start=["/swap.img"])
    assert compare(SwapOff(), dump(found), dump(wanted)).diffs == ["active", "atStart"]


async def test_a_raspberry_pi_without_memory_controller_asks_for_a_reboot_once_its_command_line_is_right(
    host: Host, machine: DisposableHost, server: SshServer
) -> None:
    line = "console=tty1 root=PARTUUID=1 rootwait"
    machine.write("/boot/firmware/cmdline.txt", line + "\n")
    wanted = CgroupControllersInputs(host=server.address, names=["memory"])
    for _ in range(2):
        with pytest.raises(RebootNeeded) as refusal:
            await CgroupControllers().create(host, wanted)
    assert "/boot/firmware/cmdline.txt was changed so that the kernel starts with" in str(refusal.value)
    assert "Run `ssh 127.0.0.1 systemctl reboot`" in str(refusal.value)
    assert machine.run("cat /boot/firmware/cmdline.txt") == f"{line} cgroup_enable=memory cgroup_memory=1\n"
    found = await CgroupControllers().read(host, wanted)
    assert found == replace(wanted, names=[])
    await CgroupControllers().delete(host, wanted)
    assert machine.run("cat /boot/firmware/cmdline.txt") == line + "\n"


async def test_another_machine_without_the_controller_is_told_what_to_enable(host: Host, server: SshServer) -> None:
    with pytest.raises(CommandFailed) as refusal:
        await CgroupControllers().create(host, CgroupControllersInputs(host=server.address, names=["memory"]))
    assert "the cgroup controllers memory are not active" in str(refusal.value)
    assert "cgroup_enable=memory cgroup_memory=1" in str(refusal.value)
