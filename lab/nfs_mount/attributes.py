"""File attributes of NFS 4.0 (RFC 7530, section 5): reading them as stat() has them, and setting them."""

import os
import stat
import struct
from collections.abc import Callable
from enum import IntEnum

from .xdr import Reader, bitmap, opaque, uhyper, uint

NANO = 10**9


class Attribute(IntEnum):
    """Numbers of the attributes in use; an answer carries them in this order."""

    TYPE = 1
    SIZE = 4
    FILE_ID = 20
    FILES_AVAIL = 21
    FILES_FREE = 22
    FILES_TOTAL = 23
    MAX_READ = 30
    MAX_WRITE = 31
    MODE = 33
    LINKS = 35
    OWNER = 36
    GROUP = 37
    RAW_DEVICE = 41
    SPACE_AVAIL = 42
    SPACE_FREE = 43
    SPACE_TOTAL = 44
    SPACE_USED = 45
    TIME_ACCESS = 47
    TIME_ACCESS_SET = 48
    TIME_METADATA = 52
    TIME_MODIFY = 53
    TIME_MODIFY_SET = 54


FILE_TYPES = {
    1: stat.S_IFREG,
    2: stat.S_IFDIR,
    3: stat.S_IFBLK,
    4: stat.S_IFCHR,
    5: stat.S_IFLNK,
    6: stat.S_IFSOCK,
    7: stat.S_IFIFO,
}

STAT = bitmap(
    (
        *(Attribute.TYPE, Attribute.SIZE, Attribute.FILE_ID, Attribute.MODE, Attribute.LINKS, Attribute.OWNER),
        *(Attribute.GROUP, Attribute.RAW_DEVICE, Attribute.SPACE_USED, Attribute.TIME_ACCESS),
        *(Attribute.TIME_METADATA, Attribute.TIME_MODIFY),
    )
)
"""Everything that stat() wants."""

DIRECTORY_ENTRY = bitmap((Attribute.TYPE, Attribute.FILE_ID, Attribute.MODE))
STATFS = bitmap(
    (
        *(Attribute.FILES_AVAIL, Attribute.FILES_FREE, Attribute.FILES_TOTAL),
        *(Attribute.SPACE_AVAIL, Attribute.SPACE_FREE, Attribute.SPACE_TOTAL),
    )
)
SIZES = bitmap((Attribute.TYPE, Attribute.MAX_READ, Attribute.MAX_WRITE))

Attributes = dict[Attribute, int]


def decode(answer: Reader) -> Attributes:
    """Take a set of attributes out of an answer; times are in nanoseconds, sizes in bytes."""
    there = answer.bitmap()
    start, length = answer.span()
    values = Reader(answer.content, start)
    found: Attributes = {}
    for attribute in Attribute:
        if attribute in there:
            found[attribute] = _DECODERS.get(attribute, Reader.uhyper)(values)
    if values.at > start + length:
        raise ValueError("an attribute that was not asked for")
    return found


def as_stat(attributes: Attributes) -> dict[str, int]:
    """Return attributes under the names of `os.stat_result`."""
    kind = FILE_TYPES.get(attributes.get(Attribute.TYPE, 0), 0)
    result = {name: attributes[number] for name, number in _STAT_NAMES.items() if number in attributes}
    result["st_mode"] = attributes.get(Attribute.MODE, 0) | kind
    if Attribute.SPACE_USED in attributes:
        result["st_blocks"] = -(-attributes[Attribute.SPACE_USED] // 512)
    return result


def as_statfs(attributes: Attributes, block: int = 4096) -> dict[str, int]:
    """Return attributes under the names of `os.statvfs_result`."""
    space = {name: attributes.get(number, 0) // block for name, number in _SPACE_NAMES.items()}
    files = {name: attributes.get(number, 0) for name, number in _FILES_NAMES.items()}
    return {**space, **files, "f_bsize": block, "f_frsize": block, "f_namemax": 255}


def encode(
    *,
    size: int | None = None,
    mode: int | None = None,
    owner: int | None = None,
    group: int | None = None,
    accessed: int | None = None,
    modified: int | None = None,
) -> bytes:
    """Encode the attributes to set; times are nanoseconds since 1970, or -1 for the server's own clock."""
    wanted: list[tuple[Attribute, bytes]] = []
    if size is not None:
        wanted.append((Attribute.SIZE, uhyper(size)))
    if mode is not None:
        wanted.append((Attribute.MODE, uint(mode)))
    if owner is not None:
        wanted.append((Attribute.OWNER, opaque(b"%d" % owner)))
    if group is not None:
        wanted.append((Attribute.GROUP, opaque(b"%d" % group)))
    if accessed is not None:
        wanted.append((Attribute.TIME_ACCESS_SET, _time_to_set(accessed)))
    if modified is not None:
        wanted.append((Attribute.TIME_MODIFY_SET, _time_to_set(modified)))
    return bitmap(number for number, _ in wanted) + opaque(b"".join(value for _, value in wanted))


def _time_to_set(nanoseconds: int) -> bytes:
    if nanoseconds < 0:
        return uint(0)
    return uint(1) + struct.pack(">qI", nanoseconds // NANO, nanoseconds % NANO)


def _time(values: Reader) -> int:
    seconds, nanoseconds = struct.unpack(">qI", values.fixed(12))
    return int(seconds * NANO + nanoseconds)


def _owner(values: Reader) -> int:
    """Take a user or group; a server with numbers only sends them as text, else a name that nobody here knows."""
    name = values.opaque().split(b"@")[0]
    if name.isdigit():
        return int(name)
    return 0 if name == b"root" else 65534


_DECODERS: dict[Attribute, Callable[[Reader], int]] = {
    Attribute.TYPE: Reader.uint,
    Attribute.MODE: Reader.uint,
    Attribute.LINKS: Reader.uint,
    Attribute.OWNER: _owner,
    Attribute.GROUP: _owner,
    Attribute.RAW_DEVICE: lambda values: os.makedev(values.uint(), values.uint()),
    Attribute.TIME_ACCESS: _time,
    Attribute.TIME_METADATA: _time,
    Attribute.TIME_MODIFY: _time,
}

_STAT_NAMES = {
    "st_size": Attribute.SIZE,
    "st_ino": Attribute.FILE_ID,
    "st_nlink": Attribute.LINKS,
    "st_uid": Attribute.OWNER,
    "st_gid": Attribute.GROUP,
    "st_rdev": Attribute.RAW_DEVICE,
    "st_atime": Attribute.TIME_ACCESS,
    "st_ctime": Attribute.TIME_METADATA,
    "st_mtime": Attribute.TIME_MODIFY,
}
_SPACE_NAMES = {
    "f_bavail": Attribute.SPACE_AVAIL,
    "f_bfree": Attribute.SPACE_FREE,
    "f_blocks": Attribute.SPACE_TOTAL,
}
_FILES_NAMES = {
    "f_favail": Attribute.FILES_AVAIL,
    "f_ffree": Attribute.FILES_FREE,
    "f_files": Attribute.FILES_TOTAL,
}
