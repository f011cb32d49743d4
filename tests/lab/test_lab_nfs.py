"""The stand-in for the kernel's NFS client, against a real NFS server on the lab's store."""

import os
from collections.abc import Iterator

import pytest

from tests.lab.lab_under_test import DEFINITION, PREFIX, LabUnderTest

pytestmark = pytest.mark.lab

EXPORT = f"{PREFIX}31:/export/models"
# A program that takes its time over a file that it holds open.
SLOW_READER = """
import hashlib, time
digest = hashlib.sha256()
with open('/mnt/weights', 'rb', buffering=0) as file:
    while part := file.read(1 << 20):
        digest.update(part)
        time.sleep(0.1)
print(digest.hexdigest())
"""
CHANGES = """
set -e; mkdir /mnt/d; cd /mnt/d
echo one > a; echo two >> a; ln -s a l; ln a h; mv a b; chmod 640 b; chown 5:6 b; touch -d 2020-01-01T00:00:00Z b
for i in $(seq 300); do : > n$i; done
truncate -s 3 h; rm l; mkdir e; rmdir e
cd /; umount /mnt
"""
SERVE = """
systemctl start nfs-ganesha
for try in $(seq 100); do ss -Hltn | grep -q :2049 && exit 0; sleep 0.1; done; exit 1
"""
# A daemon ends some moments after its mount.
NO_DAEMON_LEFT = "for try in $(seq 50); do pgrep -x mount.nfs > /dev/null || exit 0; sleep 0.1; done; exit 1"
MOUNT = f"mount -t nfs -o ro,hard,nfsvers=4.1 {EXPORT} /mnt"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabUnderTest]:
    """Return an instance with a 32 MiB file on its store, and nfs-common on its node as a site has it."""
    if os.geteuid() != 0:
        pytest.fail("the lab needs root: run the tests as root, or leave the lab out with `make test-fast`")
    file = tmp_path_factory.mktemp("nfs") / "kvtest.yaml"
    file.write_text(DEFINITION.replace("cpus: 0.5", "cpus: 2"))
    lab = LabUnderTest(file)
    lab.run("down")
    lab.up()
    lab.on("nfs1", "dd if=/dev/urandom of=/export/models/weights bs=1M count=32 2>/dev/null")
    lab.on("edge1", "apt-get update -qq && apt-get install -qq -y --no-install-recommends nfs-common >/dev/null 2>&1")
    yield lab
    lab.run("down")


@pytest.fixture
def served(lab: LabUnderTest) -> Iterator[LabUnderTest]:
    """Return the instance with its server answering; leave no mount behind."""
    lab.on("nfs1", SERVE)
    yield lab
    lab.on("edge1", "while umount /mnt 2>/dev/null; do :; done")


@pytest.fixture
def mounted(served: LabUnderTest) -> LabUnderTest:
    """Mount the store read-only on the node."""
    served.on("edge1", MOUNT)
    return served


def digest(said: str) -> str:
    """Return the checksum in what sha256sum said."""
    return said.split()[0]


def test_a_file_reads_whole(mounted: LabUnderTest) -> None:
    there = digest(mounted.on("nfs1", "sha256sum /export/models/weights"))
    assert digest(mounted.on("edge1", "sha256sum /mnt/weights")) == there


def test_the_mount_is_named_as_the_kernels_would_be(mounted: LabUnderTest) -> None:
    source, _, kind, options = mounted.on("edge1", "findmnt -n -o SOURCE,TARGET,FSTYPE,OPTIONS /mnt").split()
    assert (source, kind) == (EXPORT, "fuse.nfs")
    assert "ro" in options.split(",")


def test_a_read_only_mount_refuses_to_write(mounted: LabUnderTest) -> None:
    assert "Read-only file system" in mounted.on("edge1", "touch /mnt/new", status=1)


def test_the_server_decides_who_may_read(mounted: LabUnderTest) -> None:
    mounted.on("nfs1", "echo secret > /export/models/private; chmod 600 /export/models/private")
    said = mounted.on("edge1", "setpriv --reuid 65534 --regid 65534 --clear-groups cat /mnt/private", status=1)
    assert "Permission denied" in said
    assert mounted.on("edge1", "cat /mnt/private") == "secret\n"


def test_a_new_version_is_seen_within_seconds(mounted: LabUnderTest) -> None:
    mounted.on("edge1", "ls /mnt")
    mounted.on(
        "nfs1",
        "mkdir /export/models/aside && echo new > /export/models/aside/f && mv /export/models/aside /export/models/2",
    )
    assert mounted.on("edge1", "sleep 3.1; cat /mnt/2/f") == "new\n"


def test_reading_goes_on_after_the_server_restarted(mounted: LabUnderTest) -> None:
    there = digest(mounted.on("nfs1", "sha256sum /export/models/weights"))
    reading = mounted.start("exec", "edge1", "--", f'python3 -c "{SLOW_READER}"')
    mounted.on("nfs1", "systemctl stop nfs-ganesha; sleep 2; systemctl start nfs-ganesha")
    out, error = reading.communicate(timeout=60)
    assert out.strip() == there, error


def test_a_mount_goes_away_while_its_server_is_gone(mounted: LabUnderTest) -> None:
    mounted.on("nfs1", "systemctl stop nfs-ganesha")
    blocked = mounted.start("exec", "edge1", "--", "timeout --signal KILL 2 cat /mnt/weights > /dev/null")
    blocked.communicate(timeout=30)
    mounted.on("edge1", f"timeout 15 umount /mnt && {{ {NO_DAEMON_LEFT}; }}")


def test_soft_gives_up(served: LabUnderTest) -> None:
    served.on("edge1", f"mount -t nfs -o soft,timeo=10,retrans=1 {EXPORT} /mnt")
    served.on("nfs1", "systemctl stop nfs-ganesha")
    assert "Input/output error" in served.on("edge1", "sleep 3.1; cat /mnt/weights; umount /mnt", status=0)


def test_what_is_written_is_on_the_server(served: LabUnderTest) -> None:
    served.on("edge1", f"mount -t nfs {EXPORT} /mnt")
    served.on("edge1", CHANGES)
    said = served.on(
        "nfs1", "cd /export/models/d; ls | wc -l; stat -c '%a %u %g %s %h' b; cat b; rm -r /export/models/d"
    )
    assert said == "302\n640 5 6 3 2\none"


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        (
            f"{PREFIX}31:/export/none",
            "ro",
            f"mounting {PREFIX}31:/export/none failed, reason given by server: No such file or directory",
        ),
        (f"{PREFIX}12:/export/models", "ro", "Connection refused"),
        (f"{PREFIX}99:/export/models", "ro", "No route to host"),
        (EXPORT, "vers=3", "Protocol not supported (this helper speaks NFS 4 only)"),
        (EXPORT, "sec=krb5", "an incorrect mount option was specified (sec=krb5)"),
        (EXPORT, "timeo=soon,soft", "an incorrect mount option was specified (timeo=soon)"),
    ],
)
def test_a_mount_that_cannot_be_says_why(served: LabUnderTest, source: str, options: str, said: str) -> None:
    answer = served.on("edge1", f"mount -t nfs -o {options} {source} /mnt", status=32)
    assert answer.strip() == f"mount.nfs: {said}"
