"""Whom do we know, and who is signed in? People, sessions, used passes, API keys and a tenant's settings.

A secret is kept as its SHA-256 only: sessions' cookies and API keys are 256 random bits, which no table of words can find.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from reconciler.people_tables import TOLD_APART
from reconciler.person import Kept, Person, Role

IDLE: Final = timedelta(minutes=30)
"""A session nobody used for so long is over."""
LONGEST: Final = timedelta(hours=8)
NOTED: Final = timedelta(minutes=1)
"""That a session or a key is used is noted so often: whoever only reads waits for no disk."""
REMEMBERED: Final = timedelta(days=1)
"""How long it is known whose session it was, once it is over: so that a form filled in meanwhile is not lost."""
KEPT: Final = timedelta(minutes=30)
"""How long what was filled in is offered back."""
KEPT_SETTINGS: Final = ["keep_create", "keep_bulk"]
"""What admins may keep for themselves, as settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A person at a browser. ``form_key`` makes the token that this session's forms carry.

    ``languages``: what the person chose, and what the tenant speaks; each may be none.
    """

    person: Person
    form_key: bytes
    return_to: str
    languages: tuple[str | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of a tenant as its admins see it: never itself."""

    id: UUID
    name: str
    role: Role
    made: datetime
    used: datetime | None


def meet(connection: sa.Connection, person: Person, now: datetime) -> None:
    """Remember whom the CRM vouched for; a mail address it does not know leaves the known one."""
    connection.execute(_MEET, {**_of(person), "mail": person.mail, "now": now})


def admins(connection: sa.Connection, tenant: str) -> list[str]:
    """The names of a tenant's admins, who was here last first."""
    return list(connection.execute(_ADMINS, {"tenant": tenant}).scalars())


def named(connection: sa.Connection, tenant: str, person: str) -> Person | None:
    """The person, or the API key, of that id; none where nobody is known by it."""
    row = connection.execute(_NAMED, {"tenant": tenant, "id": person}).one_or_none()
    return None if row is None else Person(tenant=tenant, id=person, name=row.name, role=row.role)


def everybody(connection: sa.Connection, tenant: str) -> list[tuple[str, str]]:
    """Ids and names of the people of a tenant who were here, by name; two of one name are told apart in it."""
    return [(row.id, row.name) for row in connection.execute(_EVERYBODY, {"tenant": tenant})]


def begin(connection: sa.Connection, person: Person, return_to: str, now: datetime) -> str:
    """A new session of that person; what its cookie is to hold."""
    cookie = secrets.token_urlsafe(32)
    values = {
        **_of(person),
        "session": _hash(cookie),
        "form_key": secrets.token_bytes(32),
        "return_to": return_to,
        "now": now,
    }
    connection.execute(_BEGIN, values)
    return cookie


def find(connection: sa.Connection, cookie: str, now: datetime) -> Session | None:
    """The session of that cookie, now used once more; none when there is none or it is over."""
    ages = {"idle": now - IDLE, "oldest": now - LONGEST, "noted": now - NOTED}
    row = connection.execute(_FIND, {"session": _hash(cookie), "now": now, **ages}).one_or_none()
    if row is None:
        return None
    person = Person(tenant=row.tenant, id=row.person, name=row.name, role=row.role)
    languages = (row.chosen, row.spoken)
    return Session(person=person, form_key=row.form_key, return_to=row.return_to, languages=languages)


def lately(connection: sa.Connection, cookie: str, now: datetime) -> Session | None:
    """The session of that cookie also where it is over, but for whoever signed out; none a day after it was used last."""
    row = connection.execute(_LATELY, {"session": _hash(cookie), "since": now - REMEMBERED}).one_or_none()
    if row is None:
        return None
    person = Person(tenant=row.tenant, id=row.person, name=row.name, role=row.role)
    return Session(person=person, form_key=row.form_key, return_to=row.return_to, languages=(None, None))


def keep_form(
    connection: sa.Connection, person: Person, page: str, fields: Mapping[str, list[str]], now: datetime
) -> None:
    """Keep what that person filled in on a page while their session ended."""
    values = {**_of(person), "page": page, "fields": dict(fields), "now": now}
    connection.execute(_KEEP_FORM, values)


def kept_form(connection: sa.Connection, person: Person, page: str, now: datetime) -> dict[str, list[str]]:
    """What that person filled in on that page within the last half hour, and nothing was saved of."""
    values = {**_of(person), "page": page, "since": now - KEPT}
    found: dict[str, list[str]] | None = connection.execute(_KEPT_FORM, values).scalar()
    return found or {}


def drop_form(connection: sa.Connection, person: Person, page: str) -> None:
    """That form was saved."""
    connection.execute(_DROP_FORM, {**_of(person), "page": page})


def end(connection: sa.Connection, cookie: str) -> None:
    """Sign out."""
    connection.execute(sa.text("delete from sync.session where id = :session"), {"session": _hash(cookie)})


def use_pass(connection: sa.Connection, tenant: str, pass_id: str, until: datetime) -> bool:
    """Whether that pass is used for the first time; from here on it is used."""
    return connection.execute(_USE, {"id": _hash(f"{tenant} {pass_id}"), "until": until}).rowcount > 0


def forget(connection: sa.Connection, now: datetime) -> int:
    """Remove sessions that are long over, forms that were kept, and passes that are too old; returns how many."""
    gone = connection.execute(_FORGET_SESSIONS, {"since": now - REMEMBERED}).rowcount
    gone += connection.execute(_FORGET_FORMS, {"since": now - KEPT}).rowcount
    return gone + connection.execute(_FORGET_PASSES, {"now": now}).rowcount


def make_key(connection: sa.Connection, tenant: str, name: str, role: Role, now: datetime) -> tuple[UUID, str]:
    """A new API key, shown this once."""
    key, key_id = f"cme_{secrets.token_urlsafe(32)}", uuid4()
    values = {"id": key_id, "tenant": tenant, "name": name, "role": role, "sha256": _hash(key), "now": now}
    connection.execute(_MAKE_KEY, values)
    return key_id, key


def end_key(connection: sa.Connection, tenant: str, key: UUID, now: datetime) -> bool:
    """End a tenant's key; false when there is none such."""
    return connection.execute(_END_KEY, {"tenant": tenant, "id": key, "now": now}).rowcount > 0


def keys(connection: sa.Connection, tenant: str) -> list[ApiKey]:
    """The keys of a tenant that hold, the oldest first."""
    return [ApiKey(**row._asdict()) for row in connection.execute(_KEYS, {"tenant": tenant})]


def of_key(connection: sa.Connection, key: str, now: datetime) -> Person | None:
    """Whom a key acts for: itself, by its name; none when it does not hold."""
    row = connection.execute(_OF_KEY, {"sha256": _hash(key), "now": now, "noted": now - NOTED}).one_or_none()
    return None if row is None else Person(tenant=row.tenant, id=f"key {row.id}", name=row.name, role=row.role)


def speak(connection: sa.Connection, person: Person, language: str) -> None:
    """That person reads pages in that language from now on."""
    connection.execute(_SPEAK, {**_of(person), "language": language})


def settings(connection: sa.Connection, tenant: str, names: Iterable[str]) -> dict[str, Any]:
    """A tenant's settings of these names, those that were chosen."""
    rows = connection.execute(_SETTINGS, {"tenant": tenant, "names": list(names)})
    return {row.name: row.value for row in rows}


def hold(connection: sa.Connection, tenant: str) -> None:
    """Nobody else chooses of a tenant's settings until the transaction ends; after its agreement, where both are held."""
    connection.execute(_HOLD, {"tenant": tenant})


def choose(connection: sa.Connection, tenant: str, name: str, value: object) -> None:
    """Set one of a tenant's settings."""
    connection.execute(_CHOOSE, {"tenant": tenant, "name": name, "value": value})


def kept(connection: sa.Connection, tenant: str) -> Kept:
    """What a tenant's admins kept for themselves."""
    chosen = settings(connection, tenant, KEPT_SETTINGS)
    return Kept(create=bool(chosen.get("keep_create")), bulk=bool(chosen.get("keep_bulk")))


def _of(person: Person) -> dict[str, str]:
    return {"tenant": person.tenant, "person": person.id, "name": person.name, "role": person.role}


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


_NAMED = sa.text("""
    select name, role from sync.person where tenant = :tenant and id = :id
    union all
    select name, role from sync.api_key where tenant = :tenant and 'key ' || cast(id as text) = :id
    limit 1
""")
_HOLD = sa.text("select pg_advisory_xact_lock(hashtextextended('sync.setting ' || :tenant, 0))")
_MEET = sa.text("""
    insert into sync.person (tenant, id, name, role, mail, seen) values (:tenant, :person, :name, :role, :mail, :now)
    on conflict (tenant, id) do update
    set name = excluded.name, role = excluded.role, seen = excluded.seen,
        mail = coalesce(nullif(excluded.mail, ''), person.mail)
""")
_SPEAK = sa.text("update sync.person set language = :language where tenant = :tenant and id = :person")
_ADMINS = sa.text("""
    select name from sync.person where tenant = :tenant and role = 'admin' order by seen desc, id limit 5
""")
_EVERYBODY = sa.text(f"""
    select id, {TOLD_APART} as name from sync.person where tenant = :tenant order by sync.person.name, id limit 500
""")
_BEGIN = sa.text("""
    insert into sync.session (id, tenant, person, name, role, form_key, return_to, started, seen)
    values (:session, :tenant, :person, :name, :role, :form_key, :return_to, :now, :now)
""")
_FIND = sa.text("""
    with noted as (
        update sync.session set seen = :now where id = :session and seen > :idle and started > :oldest and seen <= :noted
    )
    select tenant, person, name, role, form_key, return_to,
        (select p.language from sync.person p where p.tenant = session.tenant and p.id = session.person) as chosen,
        (select s.value #>> '{}' from sync.setting s where s.tenant = session.tenant and s.name = 'language') as spoken
    from sync.session where id = :session and seen > :idle and started > :oldest
""")
_USE = sa.text("insert into sync.used_pass (id, until) values (:id, :until) on conflict (id) do nothing")
_LATELY = sa.text("""
    select tenant, person, name, role, form_key, return_to from sync.session where id = :session and seen > :since
""")
_KEEP_FORM = sa.text("""
    insert into sync.kept_form (tenant, person, page, fields, at) values (:tenant, :person, :page, :fields, :now)
    on conflict (tenant, person, page) do update set fields = excluded.fields, at = excluded.at
""").bindparams(sa.bindparam("fields", type_=sa.JSON))
_KEPT_FORM = sa.text("""
    select fields from sync.kept_form where tenant = :tenant and person = :person and page = :page and at > :since
""")
_DROP_FORM = sa.text("delete from sync.kept_form where tenant = :tenant and person = :person and page = :page")
_FORGET_SESSIONS = sa.text("delete from sync.session where seen <= :since")
_FORGET_FORMS = sa.text("delete from sync.kept_form where at <= :since")
_FORGET_PASSES = sa.text("delete from sync.used_pass where until < :now")
_MAKE_KEY = sa.text("""
    insert into sync.api_key (id, tenant, name, role, sha256, made) values (:id, :tenant, :name, :role, :sha256, :now)
""")
_END_KEY = sa.text("update sync.api_key set ended = :now where tenant = :tenant and id = :id and ended is null")
_KEYS = sa.text("""
    select id, name, role, made, used from sync.api_key where tenant = :tenant and ended is null order by made, id
""")
_OF_KEY = sa.text("""
    with noted as (
        update sync.api_key set used = :now where sha256 = :sha256 and ended is null and (used is null or used <= :noted)
    )
    select id, tenant, name, role from sync.api_key where sha256 = :sha256 and ended is null
""")
_SETTINGS = sa.text("select name, value from sync.setting where tenant = :tenant and name = any(:names)")
_CHOOSE = sa.text("""
    insert into sync.setting (tenant, name, value) values (:tenant, :name, :value)
    on conflict (tenant, name) do update set value = excluded.value
""").bindparams(sa.bindparam("value", type_=sa.JSON))
