"""What a process answers about itself over HTTP."""

from collections.abc import Iterator

import httpx
import pytest

from crm_outbox.messaging import telemetry

READY = {"topology": True, "migrations": True}


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    server = telemetry.serve("127.0.0.1", 0, lambda: READY)
    with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False, timeout=60) as made:
        yield made
    server.shutdown()
    server.server_close()


def test_metrics_are_there_by_name(client: httpx.Client) -> None:
    telemetry.REFUSED.labels("crm-applier", "malformed").inc()
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert 'sync_inbox_refused_total{consumer="crm-applier",reason="malformed"}' in answer.text


def test_health_is_lost_by_a_loop_that_does_not_turn_and_by_nothing_else(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "beats", telemetry.Beats())
    telemetry.beats.beat("applier", 0.0)
    assert client.get("/healthz").status_code == 200
    telemetry.beats.beat("relay", -1000.0)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (503, "relay")


def test_readiness_names_what_is_missing(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/readyz").status_code == 200
    monkeypatch.setitem(READY, "topology", False)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "topology")


def test_nothing_else_is_answered(client: httpx.Client) -> None:
    assert client.get("/").status_code == 404
    assert client.post("/metrics").status_code == 501
