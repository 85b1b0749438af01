"""Does a customer still differ without anybody knowing, about whom that is asked? Looked at under its lock.

Such a question is about what was found, not about the link as it stands: a step does not open it. It closes with the first step
after which nothing differs unknown, and by a comparison that finds nothing any more.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from reconciler import overview, questions
from reconciler.asked import Open
from reconciler.link import Link
from reconciler.rules import Rules
from reconciler.silent import Compared, Standing, compared


def found(connection: Connection, link: Link, rules: Rules, now: datetime) -> Compared | None:
    """What of a locked customer differs without anybody knowing; none where nothing does."""
    stands = compared(link, rules, now, told=not overview.is_untold(connection, link.id))
    return stands if stands is not None and stands.standing is Standing.SILENT else None


def left(
    connection: Connection, link: Link, rules: Rules, now: datetime, open_questions: Sequence[Open]
) -> tuple[Open, ...]:
    """Of a link's open questions those that its step is to compare with: without what was found and still differs unknown."""
    if not questions.overlooked(open_questions) or found(connection, link, rules, now) is None:
        return tuple(open_questions)
    return tuple(one for one in open_questions if one.kind != "silent")
