"""Unit tests decide and compute: none may open a connection."""

import socket
from typing import NoReturn

import psycopg
import pytest


def _blocked(*_: object, **__: object) -> NoReturn:
    raise AssertionError("a unit test opens no connection: this test belongs in tests/integration")


@pytest.fixture(autouse=True)
def _no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("connect", "connect_ex", "bind"):
        monkeypatch.setattr(socket.socket, name, _blocked)
    monkeypatch.setattr(psycopg, "connect", _blocked)
    monkeypatch.setattr(psycopg.Connection, "connect", _blocked)
