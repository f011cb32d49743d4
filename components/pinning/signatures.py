"""The programs that verify signatures, and what they are asked."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from components.pinning.errors import SignatureRefused

KUBERNETES_SIGNER = "krel-staging@k8s-releng-prod.iam.gserviceaccount.com"
"""Who signs Kubernetes' binaries, and who vouches for the signer:
https://kubernetes.io/docs/tasks/administer-cluster/verify-signed-artifacts/"""
KUBERNETES_ISSUER = "https://accounts.google.com"
TIMEOUT_SECONDS = 300


def is_installed(program: str) -> bool:
    """Tell whether a program is there."""
    return shutil.which(program) is not None


def verify_kubernetes_binary(binary: Path, signature: Path, certificate: Path, *, url: str) -> None:
    """Verify a binary of Kubernetes with cosign.

    Raises:
        SignatureRefused: cosign does not accept the signature.
    """
    command = ["cosign", "verify-blob", str(binary), "--signature", str(signature), "--certificate", str(certificate)]
    command += ["--certificate-identity", KUBERNETES_SIGNER, "--certificate-oidc-issuer", KUBERNETES_ISSUER]
    answer = _run(command)
    if answer.returncode != 0:
        raise _refused(url, "cosign", answer.stderr)


def signed_text(clear_signed: str, keyring: Path, *, url: str) -> str:
    """Return what a clear-signed text says, verified with gpg against a keyring.

    Lines outside the signed part are not in the answer: anybody could have put them there.

    Raises:
        SignatureRefused: No key of the keyring made the signature, or the text was changed.
    """
    with tempfile.TemporaryDirectory(prefix="kubevc-gpg-") as home:
        gpg = ["gpg", "--batch", "--no-autostart", "--homedir", home]
        imported = _run([*gpg, "--import", str(keyring)])
        if imported.returncode != 0:
            raise _no_keys(keyring, imported.stderr)
        text, status = Path(home, "text"), Path(home, "status")
        status.touch()
        answer = _run([*gpg, "--status-file", str(status), "--output", str(text), "--decrypt"], clear_signed)
        # GOODSIG is said for neither an expired nor a revoked key; the exit status alone would let both pass.
        if answer.returncode != 0 or "\n[GNUPG:] GOODSIG " not in "\n" + status.read_text():
            raise _refused(url, "gpg", answer.stderr)
        return text.read_text()


def _run(command: Sequence[str], given: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, input=given, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer in {TIMEOUT_SECONDS} seconds")


def _refused(where: str, program: str, said: str) -> SignatureRefused:
    return SignatureRefused(
        where=where,
        found=f"a signature that {program} refuses: {_one_line(said)}",
        why="The publisher signs its files; what it has not signed may be from anybody. Nothing was written.",
        fix="Try again; if it stays so, ask the publisher. Who is expected to sign: docs/pinning.md.",
    )


def _no_keys(keyring: Path, said: str) -> SignatureRefused:
    return SignatureRefused(
        where=str(keyring),
        found=f"no keys: {_one_line(said)}",
        why="Signatures are verified with the keys of this file. Nothing was written.",
        fix="Give a file of public keys; that of runc's maintainers is runc.keyring in runc's repository.",
    )


def _one_line(said: str) -> str:
    return " ".join(said.split())
