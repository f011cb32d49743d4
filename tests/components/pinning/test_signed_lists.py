"""Lists of checksums inside a signature, as runc publishes them, with a real gpg."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.artifacts import read_table
from tests.components.pinning.conftest import Publisher

BASE = "opencontainers/runc/releases/download/v1.3.3"
LISTING = f"{'1a' * 32} *runc.amd64\n{'2b' * 32} *runc.arm64\n{'3c' * 32} *runc.armel\n{'4d' * 32} *runc.armhf\n"
Pin = Callable[..., int]


@dataclass(frozen=True, kw_only=True)
class Maintainer:
    """Somebody who signs releases."""

    home: str
    keyring: Path
    clock: str | None = None
    """The time that it is for this person, instead of now."""

    def gpg(self, *arguments: str, given: str = "") -> str:
        command = ["gpg", "--homedir", self.home, "--batch", "--pinentry-mode", "loopback", "--passphrase", ""]
        command += ["--faked-system-time", self.clock] if self.clock else []
        answer = subprocess.run([*command, *arguments], input=given, capture_output=True, text=True, check=True)
        return answer.stdout

    def sign(self, text: str) -> str:
        """Return the text inside a signature."""
        return self.gpg("--clear-sign", given=text)


@pytest.fixture
def new_maintainer(tmp_path: Path) -> Iterator[Callable[..., Maintainer]]:
    """Return a function that makes a key pair; its agent ends with the test."""
    homes: list[str] = []

    def make(name: str, clock: str | None = None) -> Maintainer:
        # A short path: the agent's socket lies in it.
        homes.append(tempfile.mkdtemp(prefix="gpg-"))
        maintainer = Maintainer(home=homes[-1], keyring=tmp_path / f"{name}.keyring", clock=clock)
        maintainer.gpg("--quick-generate-key", f"{name} <{name}@example.org>", "ed25519", "sign", "1y")
        maintainer.keyring.write_text(maintainer.gpg("--armor", "--export"))
        return maintainer

    yield make
    for home in homes:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)
        subprocess.run(["rm", "-rf", home], check=True)


@pytest.fixture
def maintainer(new_maintainer: Callable[..., Maintainer]) -> Maintainer:
    """Return runc's maintainer."""
    return new_maintainer("maintainer")


def checksums(table: Path) -> dict[str, str | None]:
    return {row.architecture: row.sha256 for row in read_table(table).entries if row.name == "runc"}


def test_a_signed_list_is_verified_with_the_given_keys(
    publisher: Publisher, pin: Pin, table: Path, maintainer: Maintainer, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher.put(f"{BASE}/runc.sha256sum", maintainer.sign(LISTING))
    assert pin("--require-signatures", "--runc-keyring", str(maintainer.keyring), "runc=v1.3.3") == 0
    assert checksums(table) == {"amd64": "1a" * 32, "arm64": "2b" * 32, "armhf": "4d" * 32}
    assert capsys.readouterr().out.splitlines()[0] == (
        f"runc v1.3.3 amd64: {'1a' * 32} from {publisher.url}/{BASE}/runc.sha256sum "
        f"(the list's signature verified by gpg with {maintainer.keyring})"
    )


def test_without_keys_a_signed_list_is_read_and_the_missing_proof_is_told(
    publisher: Publisher, pin: Pin, table: Path, maintainer: Maintainer, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher.put(f"{BASE}/runc.sha256sum", maintainer.sign(LISTING))
    assert pin("runc=v1.3.3") == 0
    assert checksums(table)["arm64"] == "2b" * 32
    assert "(SIGNATURE NOT VERIFIED: no keyring was given)" in capsys.readouterr().out
    assert pin("--require-signatures", "runc=v1.3.3") == 1
    assert "fix:   Give the keys of runc's maintainers: --runc-keyring FILE" in capsys.readouterr().err


@pytest.mark.usefixtures("without_programs")
def test_without_gpg_the_missing_proof_is_told(
    publisher: Publisher, pin: Pin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher.put(f"{BASE}/runc.sha256sum", LISTING)
    assert pin("--runc-keyring", str(tmp_path / "keys"), "runc=v1.3.3") == 0
    assert "(SIGNATURE NOT VERIFIED: gpg is not installed)" in capsys.readouterr().out


def test_a_list_that_somebody_else_signed_is_refused(
    publisher: Publisher,
    pin: Pin,
    table: Path,
    maintainer: Maintainer,
    new_maintainer: Callable[..., Maintainer],
    capsys: pytest.CaptureFixture[str],
) -> None:
    publisher.put(f"{BASE}/runc.sha256sum", new_maintainer("stranger").sign(LISTING))
    assert pin("--runc-keyring", str(maintainer.keyring), "runc=v1.3.3") == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{publisher.url}/{BASE}/runc.sha256sum\n    found: a signature that gpg refuses: ")
    assert "No public key" in said
    assert checksums(table) == {}


def test_a_key_that_has_expired_counts_no_more(
    publisher: Publisher,
    pin: Pin,
    table: Path,
    new_maintainer: Callable[..., Maintainer],
    capsys: pytest.CaptureFixture[str],
) -> None:
    former = new_maintainer("former", "20200101T000000")
    publisher.put(f"{BASE}/runc.sha256sum", former.sign(LISTING))
    assert pin("--runc-keyring", str(former.keyring), "runc=v1.3.3") == 1
    assert "expired" in capsys.readouterr().err
    assert checksums(table) == {}


def test_a_changed_list_is_refused(publisher: Publisher, pin: Pin, table: Path, maintainer: Maintainer) -> None:
    publisher.put(f"{BASE}/runc.sha256sum", maintainer.sign(LISTING).replace("1a1a", "1b1b"))
    assert pin("--runc-keyring", str(maintainer.keyring), "runc=v1.3.3") == 1
    assert checksums(table) == {}


def test_lines_outside_the_signature_count_for_nothing(
    publisher: Publisher, pin: Pin, table: Path, maintainer: Maintainer
) -> None:
    signed = maintainer.sign(f"{'2b' * 32} *runc.arm64\n")
    publisher.put(f"{BASE}/runc.sha256sum", f"{'66' * 32} *runc.amd64\n{signed}{'66' * 32} *runc.armhf\n")
    assert pin("--runc-keyring", str(maintainer.keyring), "runc=v1.3.3") == 0
    assert checksums(table) == {"arm64": "2b" * 32}


def test_a_file_without_keys_is_refused(
    publisher: Publisher, pin: Pin, maintainer: Maintainer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher.put(f"{BASE}/runc.sha256sum", maintainer.sign(LISTING))
    empty = tmp_path / "empty"
    empty.write_text("")
    assert pin("--runc-keyring", str(empty), "runc=v1.3.3") == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{empty}\n    found: no keys: ")
    assert "fix:   Give a file of public keys; that of runc's maintainers is runc.keyring in runc's repository." in said
