"""How are questions and their answers written in JSON?"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from reconciler.contract import TaskKind
from reconciler.person import Right
from reconciler.replies import Answer
from reconciler.rules import Area
from reconciler.web.api.new_customers import Choice
from reconciler.web.api.problems import Said
from reconciler.web.api.strict import TEXT, WHOLE

Number = Annotated[int, Field(ge=1, le=999_999_999), WHOLE] | None


class Task(Said):
    """One open question. ``text`` is what the page says, in the language that was asked for."""

    id: UUID
    kind: TaskKind
    text: str
    reason: str
    details: tuple[str, ...]
    crm_id: str | None
    customer_number: int | None
    name: str
    opened: datetime
    waiting_for: str


class Tasks(Said):
    """A page of open questions, the oldest first. ``total`` is counted up to 10,000."""

    total: int
    tasks: tuple[Task, ...]


class Counted(Said):
    """How many wait: for whoever asks, for anybody; and how many errors there are."""

    mine: int
    all: int
    errors: int


class Value(Said):
    """One value a question is about; ``last_agreed`` is what each side held when both last agreed."""

    field: str
    person: str
    crm: str
    economic: str
    last_agreed: tuple[str, str] | None


class Candidate(Said):
    """A customer that may be the one: its number in e-conomic, or its id in the CRM; ``same`` names what agrees."""

    customer_number: int | None
    crm_id: str
    name: str
    values: dict[str, str]
    same: tuple[str, ...]
    linked_to: str


class Offered(Said):
    """One answer that may be given, and the right it needs. Send it back as it is; ``typed``: with a number of one's own."""

    answer: Answer
    right: Right
    allowed: bool
    number: int | None
    customer: str
    record: UUID | None
    other: UUID | None
    typed: bool


class Lists(Said):
    """What the agreement offers for a new customer: rows of e-conomic's own lists, and currencies."""

    groups: tuple[Choice, ...]
    zones: tuple[Choice, ...]
    terms: tuple[Choice, ...]
    currencies: tuple[str, ...]


class WholeTask(Said):
    """A question with everything known of it. ``seen`` marks it as it is now; an answer carries it.

    ``heirs``: of a merge, e-conomic's customer that ``keep_own`` keeps, and the one that ``keep_merged`` does.
    ``offered``: where a creation lacks something, what an answer may supply.
    """

    task: Task
    closed: bool
    seen: str
    values: tuple[Value, ...]
    candidates: tuple[Candidate, ...]
    heirs: tuple[Candidate, ...]
    offered: Lists | None
    answers: tuple[Offered, ...]


class Supply(Said):
    """What a new customer gets in e-conomic, for this customer alone."""

    area: Area | None = None
    group: Number = None
    terms: Number = None
    zone: Number = None
    currency: Annotated[str, Field(max_length=3, pattern=r"^[A-Z]{0,3}$")] = ""


class AnswerGiven(Said):
    """An answer, once for its ``id``: sent again it changes nothing and tells how the first stands."""

    id: UUID
    answer: Answer | Literal["release", "stop"]
    seen: Annotated[str, Field(max_length=64, pattern=TEXT)]
    number: Number = None
    customer: Annotated[str, Field(max_length=200, pattern=TEXT)] = ""
    record: UUID | None = None
    other: UUID | None = None
    supply: Supply | None = None


class Replied(Said):
    """What came of an answer. ``decision`` and its state: open, done, refused; of a pass how many went and how many had moved."""

    decision: UUID | None
    state: Literal["open", "done", "refused", "partly"]
    reason: str
    text: str
    went: int = 0
    left: int = 0
