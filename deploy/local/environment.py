"""With which settings do the duties run on this machine, against the sandbox?"""

import base64
import secrets
from collections.abc import Mapping

USERS = (
    "relay-crm", "relay-economic", "relay-sync", "crm-applier", "economic-adapter", "reconciler", "operator",
    "attention", "tail", "economic-jobs",
)  # fmt: skip
"""The broker's users, as ``deploy/rabbitmq/definitions.json`` names them."""
CLOCKS = {"POLL_SECONDS": "1", "POLL_IDLE_SECONDS": "1", "BACKOFF_MAX_SECONDS": "1", "RESEND_SECONDS": "5"}
"""Shorter than in production, so that what waits there for minutes is seen in seconds."""

ADAPTERS_OWN = ("ECONOMIC_APP_SECRET", "ECONOMIC_APP_PUBLIC", "ECONOMIC_KEYS")
"""What opens e-conomic: it reaches no process but the adapter's."""

DEMO_SIGN_IN = "DEMO_SIGN_IN"
"""Set where whoever comes may sign in as anybody: the demo's CRM starts nowhere else, and ``./run up`` refuses it."""
DEMO_KEY = "demo"
"""The name of the key that the demo's CRM signs with."""


def given_to(package: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What a process of that package gets of an environment."""
    kept_from = () if package.partition(".")[0] == "economic_adapter" else ADAPTERS_OWN
    return {name: value for name, value in environ.items() if name not in kept_from}


def environment(
    *,
    database_url: str,
    amqp: str,
    management: str,
    passwords: Mapping[str, str],
    sandbox: str,
    hooks_port: int,
    web_port: int = 0,
    crm_port: int = 0,
    vhost: str = "sync",
    clocks: Mapping[str, str] = CLOCKS,
) -> dict[str, str]:
    """The environment of every duty and command; ``sandbox`` is the address of the e-conomic they speak to.

    Ports that nobody listens on, where no pages are wanted, are 0.
    """
    return {
        "DATABASE_URL": database_url,
        "BROKER_URL": amqp,
        "BROKER_VHOST": vhost,
        "BROKER_MANAGEMENT_URL": management,
        **{f"BROKER_PASSWORD_{user.upper().replace('-', '_')}": password for user, password in passwords.items()},
        "ECONOMIC_APP_SECRET": "sandbox-app-secret",
        "ECONOMIC_APP_PUBLIC": "sandbox-app-public",
        "ECONOMIC_KEYS": f"local:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "CONNECT_KEY": secrets.token_hex(32),
        "ECONOMIC_REST_URL": sandbox,
        "ECONOMIC_APIS_URL": sandbox,
        "ECONOMIC_LOGIN_URL": sandbox,
        "ECONOMIC_DEVELOPMENT_HOSTS": sandbox.removeprefix("http://"),
        "HOOKS_LISTEN": f"127.0.0.1:{hooks_port}",
        "HOOKS_PUBLIC_URL": f"http://127.0.0.1:{hooks_port}",
        "WEB_LISTEN": f"127.0.0.1:{web_port}",
        "WEB_PUBLIC_URL": f"http://127.0.0.1:{web_port}",
        "CRM_ORIGIN": f"http://crm.localhost:{crm_port}",
        "CRM_CUSTOMER_URL": f"http://crm.localhost:{crm_port}/customers/{{id}}",
        "CRM_KEYS": f"{DEMO_KEY}={secrets.token_hex(32)}",
        DEMO_SIGN_IN: "on",
        "WORKER_THREADS": "4",
        **clocks,
    }
