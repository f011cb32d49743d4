"""Bring an instance up, and put hosts back to bare."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from lab import inotify, machine, readiness
from lab.cgroup import ControlGroup
from lab.command import run
from lab.errors import InstanceError
from lab.host import Host
from lab.image import BASE
from lab.instance import Instance
from lab.lock import locked, locked_or_busy
from lab.paths import ROOM, STATE, lab_cache
from lab.progress import step
from lab.workload_packages import WORKLOAD_PACKAGES


def up(instance: Instance) -> None:
    """Start what of an instance does not run; a second time it does nothing.

    Raises:
        LabError: The machine, the definition, the instance or a host stands in the way.
    """
    machine.check(instance.programs())
    with locked_or_busy(instance.folder.path):
        with locked(STATE):
            _claim(instance)
            inotify.raise_limit()
        with step("network and gateway"):
            instance.network.up()
            instance.gateway.start()
        _prepare_images(instance)
        with step("hosts"):
            _in_parallel(instance.hosts, lambda host: _start(instance, host))


def pristine(instance: Instance, hosts: Iterable[Host]) -> None:
    """Put hosts back to what they were at their first boot, whatever has been done to them."""
    instance.folder.refuse_other_owner()
    with locked_or_busy(instance.folder.path):
        instance.gateway.start()
        _prepare_images(instance)
        with step("hosts"):
            _in_parallel(tuple(hosts), lambda host: _renew(instance, host))


def _claim(instance: Instance) -> None:
    """Write down who owns the instance and what it is, unless it is somebody else's or something else."""
    folder = instance.folder
    folder.refuse_other_owner()
    if folder.exists() and folder.definition() != instance.definition and folder.group.processes():
        raise InstanceError(
            f"lab {folder.name}",
            "is up with other hosts or another network than asked for",
            "running hosts do not change their size or address",
            f"python -m lab down --name {folder.name}, then up again",
        )
    _refuse_shared_network(instance)
    instance.write()


def _refuse_shared_network(instance: Instance) -> None:
    for other in STATE.glob("*/definition.json"):
        name = other.parent.name
        if name == instance.folder.name:
            continue
        taken = type(instance.folder)(name).definition().network
        if taken.overlaps(instance.definition.network):
            raise InstanceError(
                f"lab {instance.folder.name}",
                f"the network {instance.definition.network} is that of the instance {name}",
                "two hosts would have one address",
                f"choose another: python -m lab up --name {instance.folder.name} --network 10.98.7.0/24",
            )


def _prepare_images(instance: Instance) -> None:
    for image in dict.fromkeys(host.root_image for host in instance.hosts):
        with step(f"root tree {image.name}"):
            image.build(instance.gateway.apt_proxy, _work_group(instance))
    warmed = lab_cache() / f"warmed-{BASE.key()}"
    # Virtual machines warm the cache themselves: apt would need minutes under emulation.
    if BASE.ready() and not warmed.exists():
        with step("apt cache of what a cluster installs"):
            _warm_apt_cache(instance)
            warmed.touch()


def _work_group(instance: Instance) -> ControlGroup:
    """Return the group of what an `up` does before the hosts; a later `down` ends what a killed `up` left there."""
    group = ControlGroup(f"{instance.folder.name}/work")
    group.create()
    return group


def _warm_apt_cache(instance: Instance) -> None:
    command = ["unshare", "--mount", "--propagation", "slave", str(ROOM / "scripts" / "warm-apt-cache.sh")]
    inputs = {
        "LAYERS": ":".join(str(layer) for layer in BASE.layers()),
        "PACKAGES": " ".join(WORKLOAD_PACKAGES),
        "PROXY": instance.gateway.apt_proxy,
    }
    run(
        _work_group(instance).entering(command),
        env=inputs,
        why="the hosts have no other way to packages than this machine's cache",
    )


def _start(instance: Instance, host: Host) -> None:
    # A host that runs is never switched off here, however slow it is to answer: it may carry a site. A unit of
    # that which failed is the site's to mend.
    if host.running():
        readiness.wait(host, instance.folder.keys, (readiness.WHOLE, readiness.DEGRADED))
        return
    host.kill()
    host.create()
    host.boot()
    readiness.wait(host, instance.folder.keys)


def _renew(instance: Instance, host: Host) -> None:
    host.kill()
    host.wipe()
    host.create()
    host.boot()
    readiness.wait(host, instance.folder.keys)


def _in_parallel(hosts: tuple[Host, ...], work: Callable[[Host], None]) -> None:
    with ThreadPoolExecutor(max_workers=len(hosts) or 1) as pool:
        futures = [pool.submit(work, host) for host in hosts]
    for future in futures:
        future.result()
