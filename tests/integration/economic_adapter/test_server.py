"""The HTTP duty on a real socket: a person connects in a browser, e-conomic's hooks arrive, and slow ones are cut off."""

import contextlib
import re
import socket
import time
from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa

from crm_outbox.messaging import telemetry
from crm_outbox.messaging.server import Server
from economic_adapter import __main__ as edge
from economic_adapter import duties
from economic_adapter.duties import Held
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.app import Running
from economic_adapter.sandbox.data import APP_PUBLIC
from economic_adapter.tables import mark
from tests.integration.economic_adapter.parts import AGREEMENT, GRANT, TENANT, Parts, environ
from tests.waiting import eventually


@pytest.fixture
def given(database: str, sandbox: Running) -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    more = {"HOOKS_LISTEN": address, "HOOKS_PUBLIC_URL": f"http://{address}", "ECONOMIC_APP_PUBLIC": APP_PUBLIC}
    return environ(database, None, sandbox, **more)


@pytest.fixture
def parts(given: dict[str, str], engine: sa.Engine) -> Iterator[Parts]:
    made = Parts(given, engine)
    yield made
    made.close()


@pytest.fixture
def server(parts: Parts) -> Iterator[Server]:
    held = duties.duties(parts.settings, ["hooks"])["hooks"]()
    assert isinstance(held, Held)
    assert isinstance(held.duty, Server)
    held.run_once()
    yield held.duty
    held.close()


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(follow_redirects=True, timeout=60) as made:
        yield made


def invitation(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], locale: str = "da"
) -> str:
    """The address that the operator's command prints."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    # a command line of its own process sets up its logs; this process keeps its own
    monkeypatch.setattr(telemetry, "configure", lambda *_, **__: None)
    assert edge.main(["connect-link", "--tenant", TENANT, "--locale", locale]) == 0
    return capsys.readouterr().out.strip()


def test_a_person_connects_by_way_of_e_conomics_own_page(
    server: Server,
    parts: Parts,
    sandbox: Running,
    browser: httpx.Client,
    given: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = browser.get(invitation(given, monkeypatch, capsys))
    assert str(page.url) == parts.settings.public_url + "/connect/economic"
    install = re.search(r'class="button" href="([^"]+)"', page.text)
    assert install is not None
    consent = browser.get(install[1].replace("&amp;", "&"))
    assert consent.url.host == "127.0.0.1"
    back = browser.post(str(consent.url), data={"agreement": str(AGREEMENT)})
    assert back.status_code == 200
    assert str(back.url) == parts.settings.public_url + "/connect/economic"
    assert f"aftale {AGREEMENT}" in back.text
    assert parts.agreement().state == "connected"
    assert parts.agreement().tenant == TENANT
    assert all("token" not in str(one.url) or one.is_redirect for one in [*back.history, back])


def test_a_pasted_token_connects_and_a_wrong_one_is_told(
    server: Server,
    parts: Parts,
    browser: httpx.Client,
    given: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = browser.get(invitation(given, monkeypatch, capsys, "en"))
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert token is not None
    wrong = browser.post(str(page.url), data={"form_token": token[1], "grant": "nobodys-grant"})
    assert "You did not give Clickmate access" in wrong.text
    right = browser.post(str(page.url), data={"form_token": token[1], "grant": GRANT})
    assert f"agreement {AGREEMENT}" in right.text


def test_an_edit_in_e_conomic_arrives_as_a_mark(server: Server, parts: Parts, sandbox: Running) -> None:
    parts.switch_on()
    made = ui.create_customer(sandbox.data, {"name": "Skovbo VVS ApS"}, agreement=AGREEMENT)
    with parts.engine.connect() as connection:
        assert eventually(lambda: connection.scalar(sa.select(mark.c.number))) == made.number


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "status"), [(b"fffff\r\n" + b"x" * 70000, b"413"), (b"5\r\nnew=1\r\n", b"408")], ids=["endless", "slow"]
)
def test_an_endless_or_slow_body_is_cut_off(server: Server, body: bytes, status: bytes) -> None:
    head = b"POST /hooks/economic/a/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    started = time.monotonic()
    with socket.create_connection(server.address, timeout=60) as client:
        client.sendall(head + body)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := client.recv(4096):
                answer += piece
    assert answer.split(b" ")[1] == status
    assert b"connection: close" in answer.lower()
    assert time.monotonic() - started < 60, "what never ends would be read for as long as it comes"
    assert b"server:" not in answer.lower()
