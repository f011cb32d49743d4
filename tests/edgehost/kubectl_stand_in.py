"""A stand-in for kubectl on a server of kubeadm: one node, and a note of what was asked."""

from tests.edgehost.disposable_host import DisposableHost

KUBECTL = """#!/bin/sh
echo "$*" >> /var/tmp/asked
case "$*" in
  *readyz*) printf ok ;;
  *jsonpath*) printf 'uid 7\\nready %s\\nlabels {}\\nversion v1.34.1\\ncordoned \\n' "$(cat /var/tmp/ready)" ;;
  *"get node"*) echo node/edge1 ;;
esac
"""


def cluster(machine: DisposableHost, *, ready: str) -> None:
    """Make the host a server whose kubectl notes what it is asked."""
    machine.write("/etc/kubernetes/admin.conf", "")
    machine.write("/var/tmp/ready", ready)
    machine.write("/usr/local/bin/kubectl", KUBECTL)
    machine.run("chmod +x /usr/local/bin/kubectl")


def deletions(machine: DisposableHost) -> list[str]:
    """Return what kubectl was asked to delete."""
    words = [line.split() for line in machine.run("cat /var/tmp/asked 2>/dev/null || true").splitlines()]
    return [" ".join(line[line.index("delete") + 1 :]) for line in words if "delete" in line]
