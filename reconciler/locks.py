"""What has this transaction locked already? Agreements come before links; what comes too late begins the transaction anew.

Nothing is waited for out of order, so that no two transactions ever wait for one another. Links that were locked together
were loaded together: each waits here for whoever locks it next.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from crm_outbox.messaging.taking import Again

Key = tuple[str, int]
"""A tenant and an agreement."""


class Unordered(Again):
    """These agreements must be locked before anything this transaction has locked: it begins anew with them."""

    def __init__(self, keys: Iterable[Key]) -> None:
        super().__init__("an agreement is locked before links")
        self.keys = frozenset(keys)


@dataclass(slots=True)
class _Locked:
    transaction: object
    agreements: set[Key] = field(default_factory=set)
    links: bool = False
    loaded: dict[Hashable, object] = field(default_factory=dict)


def has_agreement(connection: sa.Connection, tenant: str, agreement: int) -> bool:
    """Whether this transaction holds that agreement; ``Unordered`` when it does not and may not wait for it any more."""
    locked = _of(connection)
    if (tenant, agreement) in locked.agreements:
        return True
    if locked.links or any(one > (tenant, agreement) for one in locked.agreements):
        raise Unordered([(tenant, agreement)])
    return False


def took_agreement(connection: sa.Connection, tenant: str, agreement: int) -> None:
    """This transaction holds that agreement until it ends."""
    _of(connection).agreements.add((tenant, agreement))


def took_links(connection: sa.Connection) -> None:
    """This transaction holds a link until it ends."""
    _of(connection).links = True


def keep(connection: sa.Connection, loaded: Mapping[Hashable, object]) -> None:
    """What was loaded of links that this transaction holds now, by what each is asked for with."""
    _of(connection).loaded.update(loaded)


def kept(connection: sa.Connection, name: Hashable) -> object | None:
    """What was loaded under that name; once, because whoever takes it may change it."""
    return _of(connection).loaded.pop(name, None)


def agreements(connection: sa.Connection) -> frozenset[Key]:
    """The agreements this transaction holds."""
    return frozenset(_of(connection).agreements)


def _of(connection: sa.Connection) -> _Locked:
    transaction = connection.get_transaction()
    locked: _Locked | None = connection.info.get(_NAME)
    if locked is None or locked.transaction is not transaction:
        locked = connection.info[_NAME] = _Locked(transaction)
    return locked


_NAME = "sync.locked"
