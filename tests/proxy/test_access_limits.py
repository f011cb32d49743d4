"""Rate limits: how a bucket runs empty and full, what the client is told, and what it costs in memory."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from proxy.access.keys import new_key
from proxy.access.rate_limit import Buckets
from proxy.access.settings import Access, Cors, RateLimit
from proxy.errors import TooManyRequests
from tests.proxy.access_server import access_server
from tests.proxy.test_access_keys import ask, bearer, write_keys

LIMIT = RateLimit(requests_per_second=0.5, burst_requests=3)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_runs_empty_and_full_again() -> None:
    clock = Clock()
    buckets = Buckets(clock=clock)
    remaining = [buckets.take("a", LIMIT)["ratelimit"] for _ in range(3)]
    assert remaining == ['"client";r=2;t=2', '"client";r=1;t=4', '"client";r=0;t=6']
    with pytest.raises(TooManyRequests) as refusal:
        buckets.take("a", LIMIT)
    assert refusal.value.retry_after_seconds == 2
    assert refusal.value.headers == {"ratelimit-policy": '"client";q=3;w=6', "ratelimit": '"client";r=0;t=6'}
    assert buckets.take("b", LIMIT)["ratelimit"] == '"client";r=2;t=2'
    clock.now += 2
    buckets.take("a", LIMIT)
    with pytest.raises(TooManyRequests):
        buckets.take("a", LIMIT)
    clock.now += 1000
    assert buckets.take("a", LIMIT)["ratelimit"] == '"client";r=2;t=2'


def test_memory_is_bounded_and_those_seen_last_are_kept() -> None:
    buckets = Buckets(most=10)
    for number in range(1000):
        buckets.take(f"client {number}", LIMIT)
        buckets.take("steady", RateLimit(requests_per_second=1, burst_requests=2000))
    assert len(buckets) == 10
    with pytest.raises(TooManyRequests):
        for _ in range(1200):
            buckets.take("steady", RateLimit(requests_per_second=0.001, burst_requests=2000))


def test_clients_are_limited_by_name_and_by_their_own_limit(tmp_path: Path) -> None:
    path, first, second, third = tmp_path / "keys.yaml", new_key().text, new_key().text, new_key().text
    own = "rate-limit: {requests-per-second: 0.01, burst-requests: 5}"
    write_keys(path, (first, "phone", ""), (second, "phone", ""), (third, "camera", own))
    with access_server(Access(keys_file=path, rate_limit=LIMIT)) as server:
        statuses = [ask(server, bearer(key)).status_code for key in (first, second, first, second)]
        assert statuses == [200, 200, 200, 429]
        assert [ask(server, bearer(third)).status_code for _ in range(6)] == [200] * 5 + [429]
        refusal = ask(server, bearer(third))
        assert int(refusal.headers["retry-after"]) > 10
        assert refusal.headers["ratelimit-policy"] == '"client";q=5;w=500'
        assert refusal.json()["code"] == "too-many-requests"


def test_unnamed_clients_are_limited_by_address() -> None:
    with access_server(Access(rate_limit=LIMIT)) as server:
        answers = [ask(server, {"x-forwarded-for": f"192.0.2.{number}"}) for number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].json() == {"client": "anonymous", "label": "anonymous"}
    assert answers[2].headers["ratelimit"].startswith('"client";r=0;t=')


def test_without_settings_everybody_may_ask_as_often_as_they_like() -> None:
    with access_server() as server:
        answers = [ask(server, {"origin": "https://app.example.org"}) for _ in range(50)]
    assert {answer.status_code for answer in answers} == {200}
    assert "access-control-allow-origin" not in answers[0].headers
    assert "ratelimit" not in answers[0].headers


def test_pages_of_allowed_origins_may_ask() -> None:
    cors = Cors(allowed_origins=("https://app.example.org",))
    with access_server(Access(cors=cors)) as server:
        preflight = {
            "access-control-request-method": "POST",
            "access-control-request-headers": "x-api-key,content-type",
        }

        def advance(origin: str) -> httpx.Response:
            url = f"http://127.0.0.1:{server.port}/v1/models/detector:predict"
            return httpx.options(url, headers={"origin": origin, **preflight})

        allowed, other = advance("https://app.example.org"), advance("https://elsewhere.example.org")
        answer = ask(server, {"origin": "https://app.example.org"})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://app.example.org"
    assert "access-control-allow-credentials" not in allowed.headers
    assert other.status_code == 400
    assert "access-control-allow-origin" not in other.headers
    assert answer.headers["access-control-allow-origin"] == "https://app.example.org"
