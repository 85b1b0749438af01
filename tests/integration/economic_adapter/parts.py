"""The adapter's parts on a real database and the sandbox, wired as ``__main__`` does it, driven by hand."""

import base64
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa

from crm_outbox.messaging.duty import run
from crm_outbox.messaging.envelope import Envelope, Version, Words, decode
from crm_outbox.messaging.settings import Broker, password_name
from economic_adapter import access, agreements, duties, work
from economic_adapter.attempt import Ending
from economic_adapter.contract import AgreementObserved, ConfigureAgreement
from economic_adapter.intake import Intake
from economic_adapter.sandbox.app import Running
from economic_adapter.settings import DUTIES, Settings
from economic_adapter.tables import messages

AGREEMENT = 123456
GRANT = "sandbox-grant"
APP_SECRET = "sandbox-app-secret"
TENANT = "t1"
OLD_KEY = base64.b64encode(bytes(range(1, 33))).decode()
NEW_KEY = base64.b64encode(bytes(range(101, 133))).decode()


def environ(database: str, broker: Broker | None, sandbox: Running, **more: str) -> dict[str, str]:
    """Everything the adapter's processes read."""
    users = {} if broker is None else {password_name(user): one for user, one in broker.passwords.items()}
    return {
        "DATABASE_URL": database.replace("postgresql+psycopg", "postgresql"),
        "BROKER_URL": "amqp://nowhere:5672" if broker is None else broker.address,
        "BROKER_VHOST": "sync" if broker is None else broker.vhost,
        "BROKER_MANAGEMENT_URL": "http://nowhere:15672" if broker is None else broker.management_url,
        **{password_name(user): "no password" for user in _users()},
        **users,
        "ECONOMIC_APP_SECRET": APP_SECRET,
        "ECONOMIC_APP_PUBLIC": "sandbox-app-public",
        "ECONOMIC_KEYS": f"k1:{OLD_KEY}",
        "ECONOMIC_REST_URL": sandbox.url,
        "ECONOMIC_APIS_URL": sandbox.url,
        "ECONOMIC_LOGIN_URL": sandbox.url,
        "ECONOMIC_DEVELOPMENT_HOSTS": sandbox.host,
        "HOOKS_PUBLIC_URL": "http://127.0.0.1:9",
        "HOOKS_LISTEN": "127.0.0.1:0",
        "POLL_SECONDS": "0.5",
        "POLL_IDLE_SECONDS": "0.5",
        "GATHER_SECONDS": "0.05",
        "GATHER_LIMIT_SECONDS": "0.2",
        "BACKOFF_MAX_SECONDS": "0.5",
        **more,
    }


class Parts:
    """One adapter whose duties are called by hand."""

    def __init__(self, given: Mapping[str, str], engine: sa.Engine) -> None:
        self.settings = Settings.from_env(given, DUTIES)
        self.engine = engine
        self.intake = Intake(outbox=duties.OUTBOX, now=now)
        self.worker = 4711
        self.client = duties.client(self.settings)
        self.access = duties.entry(self.settings, engine, self.client, lambda: None)
        self.desk = duties.desk(self.settings, engine, self.client, lambda: None)

    def close(self) -> None:
        """Give back the connections to e-conomic."""
        self.client.close()

    def connect(self, grant: str = GRANT, tenant: str = TENANT) -> Ending:
        """Connect with a grant."""
        return access.connect(self.access, tenant, grant)

    def receive(
        self, data: Words, *, tenant: str = TENANT, subject: str = "", version: Version | None = None
    ) -> Envelope:
        """One message for intake, in a transaction of its own."""
        envelope = Envelope(
            id=uuid.uuid4(),
            type=duties.OUTBOX.registry.of(data).name,
            source="test",
            time=now(),
            tenant=tenant,
            subject=subject,
            version=version,
            data=data,
        )
        with self.engine.begin() as connection:
            self.intake.handle(connection, envelope)
        return envelope

    def work(self, agreement: int = AGREEMENT, most: int = 50) -> int:
        """Do what is due now; how many rows."""
        done = 0
        while done < most and work.step(self.desk, agreement, self.worker):
            done += 1
        return done

    def told(self) -> list[Envelope]:
        """Every message in the outbox, in order."""
        query = sa.select(messages.outbox.c.message_id, messages.outbox.c.body).order_by(messages.outbox.c.id)
        with self.engine.begin() as connection:
            rows = connection.execute(query).all()
        return [decode(bytes(row.body), str(row.message_id), duties.OUTBOX.registry) for row in rows]

    def agreements_told(self) -> list[AgreementObserved]:
        """What was told of agreements."""
        return [one.data for one in self.told() if isinstance(one.data, AgreementObserved)]

    def agreement(self, number: int = AGREEMENT) -> agreements.Agreement:
        """The stored agreement."""
        with self.engine.begin() as connection:
            found = agreements.named(connection, number)
        assert found is not None
        return found

    def switch_on(self, **more: object) -> ConfigureAgreement:
        """Connect and switch on, all the way."""
        assert self.connect().sentence == "connected"
        command = configure(on=True, **more)
        self.receive(command)
        self.work()
        assert self.agreement().state == "on"
        return command


def configure(*, on: bool, **more: object) -> ConfigureAgreement:
    """A new configuration command."""
    return ConfigureAgreement.model_validate({"operation": uuid.uuid4(), "agreement": AGREEMENT, "on": on, **more})


@contextmanager
def running(given: Mapping[str, str], *names: str) -> Iterator[None]:
    """These duties in threads of this process, ended as a signal would end them."""
    stop = threading.Event()
    ended: list[int] = []
    settings = Settings.from_env(given, DUTIES)
    thread = threading.Thread(target=lambda: ended.append(run(duties.duties(settings, names), stop=stop)))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
    assert ended == [0]


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def _users() -> list[str]:
    return ["relay-economic", "economic-adapter", "economic-jobs", "attention"]
