"""What does a test find on the servers? A migrated, empty database and a vhost pair with the product's topology."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import amqp
import psycopg
import sqlalchemy as sa
from psycopg import sql

from crm_outbox.messaging import management, topology
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.settings import Broker, Secret
from deploy.migrations.histories import SCHEMAS, up

KEPT = ("alembic_version", "epoch")
"""Tables that migrations fill; every other is emptied between tests."""


def passwords() -> dict[str, str]:
    """A new password for every broker user of the definitions."""
    return {entry["name"]: secrets.token_urlsafe(12) for entry in management.definitions("sync")["users"]}


def with_name(url: str, name: str) -> str:
    """The address of another database on the same server."""
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def connect(url: str) -> psycopg.Connection:
    """A connection of its own, in autocommit."""
    plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True, options="-c lock_timeout=3s")


def make_database(url: str, name: str, template: str | None = None) -> str:
    """A new database, migrated or from a migrated template; gives its address."""
    with connect(url) as connection:
        copied = sql.SQL("template {}").format(sql.Identifier(template)) if template else sql.SQL("template template0")
        connection.execute(sql.SQL("create database {} {}").format(sql.Identifier(name), copied))
    made = with_name(url, name)
    if template is None:
        up(dict.fromkeys(SCHEMAS, made))
    return made


def drop_database(url: str, name: str) -> None:
    """Drop a database with whoever is still in it."""
    with connect(url) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@dataclass(slots=True)
class Database:
    """One worker's database, made from the template at first use and again when a test changed its tables."""

    server: str
    name: str
    template: str
    _connection: psycopg.Connection | None = None
    _relations: list[tuple[str, str]] = field(default_factory=list)
    _emptied: bool = False

    def ready(self) -> str:
        """The address of the database, empty."""
        if self._connection is None or not self._empty():
            self.close()
            drop_database(self.server, self.name)
            make_database(self.server, self.name, self.template)
            self._connection = connect(with_name(self.server, self.name))
            self._relations = _relations(self._connection)
        return with_name(self.server, self.name)

    def close(self) -> None:
        """Give back the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _empty(self) -> bool:
        """Delete all rows; false when tables came or went, or the connection broke."""
        try:
            if self._connection is None or _relations(self._connection) != self._relations:
                return False
            # Foreign keys and triggers are asleep in this session: rows may go in any order.
            self._connection.execute("set session_replication_role = replica")
            try:
                self._connection.execute(_DELETE, prepare=False)
            except psycopg.errors.LockNotAvailable:
                self._connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )
                self._connection.execute(_DELETE, prepare=False)
        except psycopg.OperationalError:
            return False
        return True


_DELETE = f"""
do $$
declare one regclass;
begin
  for one in
    select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ({", ".join(f"'{schema}'" for schema in SCHEMAS)}) and c.relkind in ('r', 'p')
      and not c.relispartition and c.relname not in ({", ".join(f"'{name}'" for name in KEPT)})
  loop
    execute format('delete from %s', one);
  end loop;
end $$
"""


def _relations(connection: psycopg.Connection) -> list[tuple[str, str]]:
    found = connection.execute(
        "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = any(%s) order by 1, 2",
        [list(SCHEMAS)],
    )
    return [(str(schema), str(name)) for schema, name in found]


@dataclass(slots=True)
class Vhosts:
    """One worker's vhost pair, filled at first use and again when a test damaged it."""

    address: str
    management_url: str
    admin: tuple[str, str]
    vhost: str
    passwords: Mapping[str, str]
    _connection: amqp.Connection | None = None

    def ready(self) -> Broker:
        """The broker as the product's settings know it: every user, queues empty, identity made."""
        with Management(self.management_url, *self.admin, self.vhost) as manager:
            if self._connection is None or not self._empty(manager):
                self.close()
                self.remove(manager)
                management.fill(self.management_url, self.admin, self.vhost, self.passwords)
                management.init(manager)
                self._connection = self._connect()
        return Broker(
            address=self.address,
            vhost=self.vhost,
            management_url=self.management_url,
            passwords={user: Secret(password) for user, password in self.passwords.items()},
        )

    def close(self) -> None:
        """Give back the connection."""
        if self._connection is not None:
            self._connection.collect()
            self._connection = None

    def remove(self, manager: Management) -> None:
        """Remove both vhosts."""
        for name in (self.vhost, f"{self.vhost}-jobs"):
            manager.delete(f"vhosts/{quote(name, safe='')}")

    def _empty(self, manager: Management) -> bool:
        wanted = management.definitions(self.vhost)
        found = manager.found()
        if topology.differences(wanted, found) or len(manager.broker_ids()) != 1:
            return False
        ours = {entry["name"] for entry in wanted["queues"]}
        try:
            if self._connection is None or not self._connection.connected:
                self._connection = self._connect()
            channel = self._connection.channel()
            for name in (entry["name"] for entry in found["queues"]):
                if name in ours or topology.is_broker_queue(name):
                    channel.queue_purge(name)
                else:
                    channel.queue_delete(name)
            channel.close()
        except (OSError, amqp.AMQPError):
            return False
        return True

    def _connect(self) -> amqp.Connection:
        user, password = self.admin
        connection = amqp.Connection(
            self.address.removeprefix("amqp://"), userid=user, password=password, virtual_host=self.vhost, heartbeat=0
        )
        connection.connect()
        return connection
