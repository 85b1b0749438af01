"""A running e-conomic for a test: ``from tests.sandbox_fixture import sandbox`` in the conftest."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from economic_adapter.sandbox.app import Running, serve
from economic_adapter.sandbox.data import Data
from economic_adapter.sandbox.settings import Settings


@pytest.fixture
def sandbox() -> Iterator[Running]:
    """An e-conomic of this test's own, empty, that takes webhooks to http addresses on loopback.

    ``sandbox.url`` answers all its APIs, ``sandbox.host`` is for allow lists, ``sandbox.data`` its state, switches
    (``data.settings``) and faults (``data.faults.add``). The test fails if the sandbox itself made a mistake.
    """
    with running_sandbox() as running:
        yield running


@contextmanager
def running_sandbox() -> Iterator[Running]:
    """The same for what lives longer than one test."""
    running = serve(Data(settings=Settings(webhook_http=True, hook_gaps=[0.05, 0.1, 0.2, 0.4]), seed=1))
    try:
        yield running
    finally:
        running.close()
    assert running.data.errors == []
