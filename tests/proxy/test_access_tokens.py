"""Tokens of an OpenID Connect issuer: accepted, refused, and how the issuer's keys are had."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from proxy.access.issuer_keys import AskedKeys, KeysInFile
from proxy.access.keys import new_key
from proxy.access.settings import Access, Oidc
from proxy.access.tokens import TokenCheck
from proxy.errors import ConfigError, IssuerUnavailable, Unauthenticated
from tests.proxy.access_server import access_server
from tests.proxy.issuer import AUDIENCE, Issuer, issuing, signing_key
from tests.proxy.running import ROOT
from tests.proxy.test_access_keys import ask, bearer, write_keys


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Run an issuer."""
    with issuing() as running:
        yield running


def check(issuer: Issuer, pause_seconds: float = 60, **settings: object) -> TokenCheck:
    """Return the check of an issuer's tokens."""
    oidc = Oidc.model_validate({"issuer": issuer.address, "audience": AUDIENCE, **settings})
    return TokenCheck(oidc, AskedKeys(oidc, pause_seconds))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_a_token_names_a_client(issuer: Issuer, algorithm: str) -> None:
    issuer.keys = {"one": algorithm, "two": "RS256"}
    client = await check(issuer).client(issuer.token(algorithm=algorithm))
    assert (client.name, client.kind, client.label) == ("phone", "token", "token")
    named = await check(issuer, **{"client-claim": "azp"}).client(issuer.token(algorithm=algorithm, azp="camera"))
    assert named.name == "camera"


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ({"exp": 1.0}, "ExpiredSignatureError"),
        ({"exp": None}, "MissingRequiredClaimError"),
        ({"iss": "https://elsewhere.example.org"}, "InvalidIssuerError"),
        ({"iss": None}, "MissingRequiredClaimError"),
        ({"aud": "another"}, "InvalidAudienceError"),
        ({"aud": None}, "MissingRequiredClaimError"),
        ({"nbf": 9e9}, "ImmatureSignatureError"),
        ({"sub": None}, "MissingRequiredClaimError"),
        ({"sub": "a\nb"}, "its claim sub is no name"),
        ({"sub": "a" * 129}, "its claim sub is no name"),
    ],
    ids=str,
)
async def test_claims_that_are_refused(issuer: Issuer, claims: dict[str, object], found: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await check(issuer).client(issuer.token(**claims))
    assert found in refusal.value.found


async def test_the_clocks_may_differ_by_the_leeway(issuer: Issuer) -> None:
    token = issuer.token(exp=time.time() - 5)
    assert (await check(issuer).client(token)).name == "phone"
    with pytest.raises(Unauthenticated):
        await check(issuer, **{"leeway-seconds": 1}).client(token)


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signed_with_text(claims: dict[str, object], text: str) -> str:
    """Sign with what everybody knows, as a secret of HMAC; PyJWT itself would refuse to."""
    content = ".".join(_part(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "one"}, claims))
    return f"{content}.{_part(hmac.digest(text.encode(), content.encode(), 'sha256'))}"


def forged_tokens(issuer: Issuer) -> dict[str, str]:
    """Return tokens that only seem to be the issuer's."""
    claims = {"iss": issuer.address, "aud": AUDIENCE, "exp": time.time() + 60, "sub": "phone"}
    public = json.dumps(issuer.key_set()["keys"][0])
    head, _, signature = issuer.token().split(".")
    other = _part(json.dumps({**claims, "sub": "admin"}).encode())
    return {
        "unsigned": jwt.encode(claims, None, "none", headers={"kid": "one"}),
        "signed with the public key": _signed_with_text(claims, public),
        "signed with another key": jwt.encode(claims, signing_key("x", "RS256"), "RS256", headers={"kid": "one"}),
        "of another algorithm": jwt.encode(claims, signing_key("one", "RS256"), "RS512", headers={"kid": "one"}),
        "with other claims": f"{head}.{other}.{signature}",
        "no token": "a.b.c",
        "empty": "",
    }


async def test_forged_tokens(issuer: Issuer) -> None:
    one = check(issuer)
    for kind, token in forged_tokens(issuer).items():
        with pytest.raises(Unauthenticated) as refusal:
            pytest.fail(f"a token {kind} names {await one.client(token)}")
        assert "admin" not in refusal.value.message
        assert not token or token not in refusal.value.message


async def test_new_keys_are_asked_for_but_not_for_every_unknown_one(issuer: Issuer) -> None:
    check_at_once, patient = check(issuer, pause_seconds=0), check(issuer)
    for one in (check_at_once, patient):
        await one.client(issuer.token())
    issuer.keys = {"two": "ES256"}
    assert (await check_at_once.client(issuer.token("two", "ES256"))).name == "phone"
    before = issuer.asked
    for _ in range(20):
        with pytest.raises(Unauthenticated, match="its key is none of the issuer's"):
            await patient.client(issuer.token("two", "ES256"))
    assert issuer.asked == before


async def test_many_tokens_at_once_ask_once(issuer: Issuer) -> None:
    one = check(issuer)
    clients = await asyncio.gather(*(one.client(issuer.token()) for _ in range(20)))
    assert {client.name for client in clients} == {"phone"}
    assert issuer.asked == 1


async def test_an_issuer_that_fails(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    issuer.fails = True
    one = check(issuer, pause_seconds=0)
    with pytest.raises(IssuerUnavailable):
        await one.client(issuer.token())
    issuer.fails = False
    assert (await one.client(issuer.token())).name == "phone"
    issuer.fails = True
    assert (await one.client(issuer.token())).name == "phone"
    with pytest.raises(Unauthenticated):
        await one.client(issuer.token("two"))
    assert (await one.client(issuer.token())).name == "phone"


async def test_keys_from_a_file_that_changes(issuer: Issuer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "proxy")
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(issuer.key_set()))
    oidc = Oidc(issuer=issuer.address, audience=AUDIENCE, jwks_file=path)
    one = TokenCheck(oidc, KeysInFile(path, pause_seconds=0))
    assert (await one.client(issuer.token())).name == "phone"
    path.write_text("{")
    assert (await one.client(issuer.token())).name == "phone"
    issuer.keys = {"two": "RS256"}
    path.write_text(json.dumps(issuer.key_set()))
    assert (await one.client(issuer.token("two"))).name == "phone"
    with pytest.raises(Unauthenticated):
        await one.client(issuer.token("one"))
    assert issuer.asked == 0
    assert [record.message for record in caplog.records] == ["issuer-keys-not-read"]


@pytest.mark.parametrize("content", ["", "[]", '{"keys": []}', '{"keys": [{"kty": "RSA"}]}'])
def test_files_that_are_no_key_sets(tmp_path: Path, content: str) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(content)
    with pytest.raises(ConfigError) as refusal:
        KeysInFile(path)
    assert refusal.value.where == str(path)


def test_keys_are_not_asked_for_in_clear_over_a_network() -> None:
    with pytest.raises(ConfigError, match="keys over http from issuer"):
        TokenCheck(Oidc(issuer="http://issuer.example.org", audience=AUDIENCE))


def test_keys_and_tokens_side_by_side(issuer: Issuer, tmp_path: Path) -> None:
    path, key = tmp_path / "keys.yaml", new_key().text
    write_keys(path, (key, "camera", ""))
    access = Access(keys_file=path, oidc=Oidc(issuer=issuer.address, audience=AUDIENCE))
    with access_server(access) as server:
        assert ask(server, bearer(key)).json() == {"client": "camera", "label": "camera"}
        assert ask(server, bearer(issuer.token())).json() == {"client": "phone", "label": "token"}
        assert ask(server, bearer(issuer.token(aud="another"))).status_code == 401
        assert ask(server, {}).status_code == 401


def test_nothing_of_it_is_loaded_without_tokens() -> None:
    code = (
        "import sys; from proxy.access.gate import Gate; from proxy.access.settings import Access; Gate(Access());"
        "print([name for name in ('jwt', 'httpx', 'cryptography') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
