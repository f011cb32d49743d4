"""What the metrics tell of the calls behind requests, at the proxy as a process."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx

from tests.proxy.conftest import proxy_config, write_cards
from tests.proxy.fake_models import all_models
from tests.proxy.fake_server import serving
from tests.proxy.running import running


def test_replicas_retries_batches_and_signatures_are_told(tmp_path: Path) -> None:
    write_cards(tmp_path)
    with serving(all_models()) as server:
        config = proxy_config(server.address, ["half", "slow"])
        config["backend"] = {"batching": {"calls-per-replica": 1}}
        with running(tmp_path, config) as proxy:
            assert proxy.post("half", json={"instances": [1.0]}).status_code == 200
            # While the first is held, the others wait and are joined.
            senders = [
                threading.Thread(target=proxy.post, args=("slow",), kwargs={"json": {"instances": [1.0]}})
                for _ in range(4)
            ]
            for sender in senders:
                sender.start()
            assert server.held.acquire(timeout=10)
            waiting = httpx.get(f"{proxy.url}/metrics").text
            server.hold.set()
            for sender in senders:
                sender.join(timeout=20)
            told = proxy.get("/metrics").text
    assert 'kubevc_proxy_replicas{model="half",state="closed"} 1.0' in told
    assert 'kubevc_proxy_signature_calls_total{model="half",signature="serving_default"} 1.0' in told
    assert 'kubevc_proxy_batch_size_count{model="slow"}' in told
    assert 'kubevc_proxy_batch_wait_seconds_count{model="slow"}' in told
    assert "kubevc_proxy_in_flight 0.0" in told
    assert "kubevc_proxy_in_flight 0.0" not in waiting
