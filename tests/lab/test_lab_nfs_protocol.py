"""The pieces of the NFS stand-in that need no server: XDR, attributes, the command line."""

import os
import stat

import pytest

from lab.nfs_mount import attributes
from lab.nfs_mount.attributes import Attribute
from lab.nfs_mount.options import OptionError, parse
from lab.nfs_mount.protocol import NfsError
from lab.nfs_mount.xdr import Reader, bitmap, opaque, uhyper, uint


def test_xdr_is_big_endian_and_padded_to_four_bytes() -> None:
    # RFC 4506, section 7: a string "sillyprog" is its length, its bytes and three zeros.
    assert opaque(b"sillyprog") == bytes.fromhex("00000009 73696c6c 7970726f 67000000")
    assert uint(1, 2) + uhyper(1 << 40) == bytes.fromhex("00000001 00000002 00000100 00000000")


def test_a_reader_takes_back_what_was_written() -> None:
    numbers = {1, 4, 31, 32, 54}
    reader = Reader(bytearray(uint(7) + opaque(b"abcde") + uhyper(9) + bitmap(numbers) + b"1234"))
    assert (reader.uint(), reader.opaque(), reader.uhyper(), reader.bitmap(), reader.fixed(4)) == (
        *(7, b"abcde", 9, numbers, b"1234"),
    )


def test_attributes_of_an_answer_become_a_stat() -> None:
    values = (
        (Attribute.TYPE, uint(1)),
        (Attribute.SIZE, uhyper(1025)),
        (Attribute.MODE, uint(0o640)),
        (Attribute.OWNER, opaque(b"1000")),
        (Attribute.GROUP, opaque(b"nobody@example")),
        (Attribute.SPACE_USED, uhyper(4097)),
        (Attribute.TIME_MODIFY, uhyper(3) + uint(5)),
    )
    answer = bitmap(number for number, _ in values) + opaque(b"".join(value for _, value in values))
    decoded = attributes.decode(Reader(bytearray(answer)))
    assert attributes.as_stat(decoded) == {
        "st_mode": stat.S_IFREG | 0o640,
        "st_size": 1025,
        "st_uid": 1000,
        "st_gid": 65534,
        "st_blocks": 9,
        "st_mtime": 3_000_000_005,
    }


def test_attributes_to_set_stand_in_the_order_of_their_numbers() -> None:
    # RFC 7530, section 3.1: the bitmap's words are 1 << 4 for the size, then 1 << (33 - 32) for the mode.
    encoded = attributes.encode(mode=0o600, size=5)
    assert encoded == uint(2, 1 << 4, 1 << 1) + opaque(uhyper(5) + uint(0o600))


def test_a_status_of_the_server_becomes_the_errno_that_programs_know() -> None:
    assert [NfsError(status).strerror.split(" (")[0] for status in (2, 13, 66, 10001)] == [
        os.strerror(number) for number in (2, 13, 39, 116)
    ]


def test_the_kubelets_command_line_is_understood() -> None:
    options = parse(["mount.nfs", "10.99.0.31:/export/models", "/var/lib/kubelet/x", "-o", "ro,hard,nfsvers=4.1"])
    assert (options.host, options.path, options.port, options.target) == (
        *("10.99.0.31", "/export/models", 2049, "/var/lib/kubelet/x"),
    )
    assert options.limit_seconds is None
    assert options.flags() == {"ro": True, "suid": True, "dev": True}


def test_options_of_nfs_5() -> None:
    options = parse(
        ["mount.nfs4", "[fd00::1]:/", "/mnt", "-r", "-o", "soft,timeo=20,retrans=1,nosuid,rsize=65536,noac,port=2050"]
    )
    assert (options.host, options.path, options.port) == ("fd00::1", "/", 2050)
    assert (options.limit_seconds, options.size("rsize"), options.attribute_seconds) == (4.0, 65536, 0.0)
    assert options.flags() == {"ro": True, "nosuid": True, "dev": True}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("mount.nfs /export /mnt", "usage: mount.nfs SERVER:/PATH DIRECTORY [-o OPTIONS]"),
        ("mount.nfs s:/e /mnt -o vers=3", "Protocol not supported (this helper speaks NFS 4 only)"),
        ("mount.nfs s:/e /mnt -o sec=krb5p", "an incorrect mount option was specified (sec=krb5p)"),
        ("mount.nfs s:/e /mnt -o retrans=x", "an incorrect mount option was specified (retrans=x)"),
    ],
)
def test_what_it_cannot_do_is_refused(arguments: str, said: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse(arguments.split())
    assert str(caught.value) == said
