"""Refusals that the scripts foresee, with their messages.

A script that meets a condition it knows prints `kubevc-refusal KIND DETAIL` and ends with status 90; this table turns
the kind into an error with a remedy.
"""

from collections.abc import Callable

from edgehost.address import HostAddress
from edgehost.errors import ChecksumMismatch, CommandFailed, DownloadFailed, NoSpace, RebootNeeded, StepError

AGAIN = "then run `pulumi up` again."


def refuse(host: HostAddress, step: str, kind: str, detail: str) -> StepError:
    """Return the error of a script's refusal."""
    where = f"{host}: {step}"
    translate = TABLE.get(kind)
    if translate is None:
        return CommandFailed(where, f"{kind} {detail}".strip(), "The step was not done.", f"Look at the host, {AGAIN}")
    return translate(where, host, detail)


def disk_full(host: HostAddress, step: str) -> NoSpace:
    """Say that a file system filled up during a step."""
    return NoSpace(
        f"{host}: {step}",
        "a file system of the host is full",
        "The step was not finished; it can be repeated safely.",
        f"Free space (`ssh {host.address} df -h`), {AGAIN}",
    )


def _no_space(where: str, host: HostAddress, detail: str) -> StepError:
    folder, needed, free = detail.rsplit(" ", 2)
    return NoSpace(
        where,
        f"{_mib(needed)} are needed in {folder}, but {_mib(free)} are free",
        "Nothing was installed.",
        f"Free space there (`ssh {host.address} df -h {folder}`), {AGAIN}",
    )


def _checksum(where: str, _: HostAddress, detail: str) -> StepError:
    path, wanted, found = detail.rsplit(" ", 2)
    return ChecksumMismatch(
        where,
        f"the file for {path} has sha256 {found}, but {wanted} was asked for",
        "It may be damaged or another version; it was removed and nothing was installed.",
        "Correct the sha256 or the URL in the artifact lock file, or repair the mirror, " + AGAIN,
    )


def _download(where: str, host: HostAddress, detail: str) -> StepError:
    url, reason = detail.split(" ", 1)
    return DownloadFailed(
        where,
        f"the host could not fetch {url} ({reason})",
        "Nothing was installed; what was fetched so far is kept and continued next time.",
        f"Try `ssh {host.address} curl -fI {url}`, correct artifacts > mirror or the lock file, {AGAIN}",
    )


def _tool_missing(where: str, _: HostAddress, detail: str) -> StepError:
    return CommandFailed(
        where,
        f"there is no `{detail}` on the host",
        "The step cannot be done without it.",
        f"Let the host's packages come first and add the one that carries `{detail}`, {AGAIN}",
    )


def _sysctl_missing(where: str, _: HostAddress, detail: str) -> StepError:
    return CommandFailed(
        where,
        f"the kernel has no setting {detail}",
        "It appears only when the kernel feature behind it is loaded. No setting was changed.",
        "Load the feature first (net.bridge.* needs br_netfilter), or correct the name of the setting.",
    )


def _sysctl_refused(where: str, _host: HostAddress, detail: str) -> StepError:
    setting, _, values = detail.partition(" ")
    wanted, _, found = values.partition(" / ")
    return CommandFailed(
        where,
        f"{setting} was set to {wanted} but reads {found}",
        "The kernel does not take the value, or something on the host sets it back.",
        f"Correct the value, or find the other owner with `grep -r {setting} /etc/sysctl* /run/sysctl.d`.",
    )


def _kernel_feature(where: str, host: HostAddress, detail: str) -> StepError:
    return CommandFailed(
        where,
        f"the kernel has no feature {detail}, neither built in nor as a module",
        "Containers, their network or their storage need it.",
        f"Install the kernel's modules (on Raspberry Pi OS `apt-get install linux-modules-extra-raspi`), or boot "
        f"another kernel; `ssh {host.address} uname -r` shows the running one.",
    )


def _reboot(where: str, host: HostAddress, detail: str) -> StepError:
    return RebootNeeded(
        where,
        f"{detail} was changed so that the kernel starts with the cgroup controllers",
        "They become active at the next start of the host, not before.",
        f"Run `ssh {host.address} systemctl reboot`, wait for the host, {AGAIN}",
    )


def _controller_missing(where: str, _: HostAddress, detail: str) -> StepError:
    return CommandFailed(
        where,
        f"the cgroup controllers {detail} are not active and the kernel's command line could not be found",
        "Without them the limits of pods do nothing, and the kubelet does not start.",
        "Enable them in the boot loader (kernel arguments `cgroup_enable=memory cgroup_memory=1`) and reboot the host.",
    )


def _unit_failed(where: str, host: HostAddress, detail: str) -> StepError:
    unit, _, journal = detail.partition(" ")
    return CommandFailed(
        where,
        f"{unit} does not run; its last lines were:\n    " + journal.replace("\\n", "\n    ") + "\n ",
        "What depends on it cannot go on.",
        f"Read `ssh {host.address} journalctl -u {unit} -n 50`, {AGAIN}",
    )


def _unit_unknown(where: str, _: HostAddress, detail: str) -> StepError:
    return CommandFailed(
        where,
        f"there is no unit {detail} on the host",
        "It can be neither started nor stopped.",
        f"Let the package that carries {detail} come first, or give the unit's content.",
    )


def _kubeadm(where: str, host: HostAddress, detail: str) -> StepError:
    verb, _, lines = detail.partition(" ")
    return CommandFailed(
        where,
        f"`kubeadm {verb}` failed; its last lines were:\n    " + lines.replace("\\n", "\n    ") + "\n ",
        "The host is not what it should be in the cluster; the next run begins this step anew.",
        f"Mend what the lines name (`ssh {host.address} journalctl -u kubelet -n 50` tells more), {AGAIN}",
    )


def _foreign_cluster(where: str, host: HostAddress, detail: str) -> StepError:
    return CommandFailed(
        where,
        f"{detail} has the files of a cluster that this program did not make",
        "It may be in use, so nothing was touched.",
        f"If nobody needs it, remove it with `ssh {host.address} kubeadm reset`, {AGAIN}",
    )


def _cluster_keys_gone(where: str, host: HostAddress, detail: str) -> StepError:
    return CommandFailed(
        where,
        f"{detail} is gone, by which the cluster knows its own",
        "With a new one no node would be trusted any more, so nothing was changed.",
        "Put /etc/kubernetes back from a backup (its pki is the same on every server); or, if the cluster may end, "
        f"remove what is left of it with `ssh {host.address} kubeadm reset`, {AGAIN}",
    )


def _image_archive_missing(where: str, _: HostAddress, detail: str) -> StepError:
    return CommandFailed(
        where,
        f"there is no archive {detail}",
        "Its images cannot be imported without it.",
        f"Let the Artifact that brings it come first, {AGAIN}",
    )


def _image_archive_differs(where: str, _: HostAddress, detail: str) -> StepError:
    path, wanted, found = detail.rsplit(" ", 2)
    return ChecksumMismatch(
        where,
        f"{path} has sha256 {found}, but images of {wanted} were asked for",
        "It may be damaged or another version; nothing was imported.",
        f"Let the Artifact that brings it have the same sha256 and come first, {AGAIN}",
    )


def _image_archive_nameless(where: str, _: HostAddress, detail: str) -> StepError:
    return CommandFailed(
        where,
        f"{detail} names no image in a manifest.json",
        "No pod could ask for what is in it, so nothing was imported.",
        "Make it with `docker save NAME:TAG` or `skopeo copy ... docker-archive:FILE:NAME:TAG`, not by an image's id.",
    )


def _image_platform(where: str, _: HostAddress, detail: str) -> StepError:
    path, machine = detail.rsplit(" ", 1)
    return CommandFailed(
        where,
        f"{path} has no image for this host, which is {machine}",
        "What is in it could not run here, so nothing was imported.",
        f"Correct the architecture of the artifact for this host, {AGAIN}",
    )


def _not_a_file(where: str, host: HostAddress, detail: str) -> StepError:
    return CommandFailed(
        where,
        f"{detail} is a folder",
        "A file cannot take its place, and its content is not ours to remove.",
        f"Move it away (`ssh {host.address} mv {detail} {detail}.old`), {AGAIN}",
    )


def _mounted(where: str, host: HostAddress, detail: str) -> StepError:
    return CommandFailed(
        where,
        f"{detail} is still mounted",
        "What is in it may belong to somebody else, so the folders around it were not removed.",
        f"End what uses it (`ssh {host.address} fuser -vm {detail}`) and unmount it, then run the command again.",
    )


def _mib(size_bytes: str) -> str:
    return f"{int(size_bytes) / 2**20:.1f} MiB"


TABLE: dict[str, Callable[[str, HostAddress, str], StepError]] = {
    "no-space": _no_space,
    "checksum": _checksum,
    "download": _download,
    "tool-missing": _tool_missing,
    "sysctl-missing": _sysctl_missing,
    "sysctl-refused": _sysctl_refused,
    "kernel-feature": _kernel_feature,
    "reboot": _reboot,
    "controller-missing": _controller_missing,
    "unit-failed": _unit_failed,
    "unit-unknown": _unit_unknown,
    "kubeadm": _kubeadm,
    "foreign-cluster": _foreign_cluster,
    "cluster-keys-gone": _cluster_keys_gone,
    "image-archive-missing": _image_archive_missing,
    "image-archive-differs": _image_archive_differs,
    "image-archive-nameless": _image_archive_nameless,
    "image-platform": _image_platform,
    "not-a-file": _not_a_file,
    "mounted": _mounted,
}
