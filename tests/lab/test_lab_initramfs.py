"""The archives that a virtual machine's kernel unpacks, read back by the description in the kernel's documentation."""

import gzip
from collections.abc import Iterator

from lab.identity import HostFile
from lab.initramfs import archive

HEADER = 110


def entries(compressed: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Yield name, mode and content of every entry (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    content, at = gzip.decompress(compressed), 0
    while True:
        assert content[at : at + 6] == b"070701"
        fields = [int(content[at + 6 + 8 * index : at + 14 + 8 * index], 16) for index in range(13)]
        mode, size, length = fields[1], fields[6], fields[11]
        name = content[at + HEADER : at + HEADER + length - 1].decode()
        if name == "TRAILER!!!":
            return
        start = _aligned(at + HEADER + length)
        yield name, mode, content[start : start + size]
        at = _aligned(start + size)


def _aligned(offset: int) -> int:
    return -(-offset // 4) * 4


def test_a_folder_comes_before_what_is_in_it() -> None:
    made = archive({"/root/.ssh/keys": HostFile(b"key", 0o600)}, {"/root": 0o700, "/proc": 0o755})
    assert list(entries(made)) == [
        ("proc", 0o040755, b""),
        ("root", 0o040700, b""),
        ("root/.ssh", 0o040755, b""),
        ("root/.ssh/keys", 0o100600, b"key"),
    ]


def test_archives_of_any_length_can_stand_behind_each_other() -> None:
    for length in range(8):
        made = archive({"/a": HostFile(bytes(length))})
        assert len(made) % 4 == 0
        assert [entry[2] for entry in entries(made)] == [bytes(length)]


def test_equal_content_makes_equal_archives() -> None:
    files = {"/a": HostFile(b"1"), "/b/c": HostFile(b"2")}
    assert archive(files) == archive(files)
