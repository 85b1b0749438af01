"""What does the reconciler take and give? Its message types, its outbox, and a draft for each thing it says."""

from datetime import datetime

from crm_outbox import contract as crm
from crm_outbox.contract import BackfillProgressed, CustomerWritten, RunBackfill
from crm_outbox.messaging.envelope import Envelope, Lane, Refused, Registry, Version
from crm_outbox.messaging.outbox import Draft, Outbox
from economic_adapter import contract as economic
from economic_adapter.contract import (
    AgreementObserved,
    ConfigureAgreement,
    CustomerObserved,
    ImportProgressed,
    InstallationObserved,
    LookAtCustomer,
    RunImport,
    WriteEconomicCustomer,
)
from reconciler import contract as sync
from reconciler.contract import RunProgressed, StatusChanged, TaskClosed, TaskOpened
from reconciler.link import Command, Link, Status
from reconciler.runs import Run
from reconciler.tables import messages

CONSUMER = "reconciler"
TAKEN = Registry(
    kind
    for kind in (*crm.TYPES, *economic.TYPES)
    if kind.data
    in {
        CustomerWritten,
        CustomerObserved,
        AgreementObserved,
        InstallationObserved,
        ImportProgressed,
        BackfillProgressed,
    }
)
"""The messages the reconciler takes; any other that reaches its queues is refused."""
OUTBOX = Outbox(tables=messages, registry=Registry((*crm.TYPES, *economic.TYPES, *sync.TYPES)), source=CONSUMER)


def version(text: str) -> Version:
    """A version as the messages say it; ``Refused`` for what is none."""
    try:
        return Version.parse(text)
    except ValueError as error:
        raise Refused("bad_data:version") from error


def command(link: Link, words: Command, cause: Envelope | None, lane: Lane) -> Draft:
    """A write to one side."""
    subject, version = crm.aggregate(link.crm_id), link.crm_version
    if not link.crm_id and link.agreement is not None and link.number is not None:
        subject, version = economic.aggregate(link.agreement, link.number), link.economic_version
    if isinstance(words, WriteEconomicCustomer) and words.number is not None:
        subject, version = economic.aggregate(words.agreement, words.number), link.economic_version
    return Draft(
        data=words,
        tenant=link.tenant,
        subject=subject,
        version=version,
        cause=cause,
        customer=link.crm_id or None,
        agreement=link.agreement,
        number=link.number,
        lane=lane,
    )


def told(link: Link, status: Status, since: datetime, cause: Envelope | None, lane: Lane) -> Draft:
    """That the customer stands differently than told before."""
    return Draft(
        data=StatusChanged(
            customer=link.crm_id,
            agreement=link.agreement,
            number=link.number,
            state=status.state,
            details=status.details,
            reason=status.reason,
            message=status.message,
            request_id=status.request_id,
            since=since,
        ),
        tenant=link.tenant,
        subject=crm.aggregate(link.crm_id),
        version=link.crm_version,
        cause=cause,
        customer=link.crm_id,
        agreement=link.agreement,
        number=link.number,
        lane=lane,
    )


def configure(tenant: str, words: ConfigureAgreement, cause: Envelope | None = None) -> Draft:
    """A configuration of an agreement."""
    return Draft(
        data=words, tenant=tenant, subject=f"economic/{words.agreement}", cause=cause, agreement=words.agreement
    )  # fmt: skip


def asked(tenant: str, words: RunImport | RunBackfill | LookAtCustomer) -> Draft:
    """That a side is to be read, whole or one customer of it."""
    match words:
        case RunBackfill(run=run):
            return Draft(data=words, tenant=tenant, subject=f"run/{run}")
        case RunImport(run=run, agreement=agreement):
            return Draft(data=words, tenant=tenant, subject=f"run/{run}", agreement=agreement)
        case LookAtCustomer(agreement=agreement, number=number):
            subject = economic.aggregate(agreement, number)
            return Draft(data=words, tenant=tenant, subject=subject, agreement=agreement, number=number, lane=Lane.BULK)


def waited_for(link: Link, words: LookAtCustomer) -> Draft:
    """That a customer is to be looked at, or searched for, by somebody who waits."""
    subject = economic.aggregate(words.agreement, words.number) if words.number else crm.aggregate(link.crm_id)
    return Draft(
        data=words,
        tenant=link.tenant,
        subject=subject,
        customer=link.crm_id or None,
        agreement=words.agreement,
        number=words.number or None,
    )


def progressed(run: Run, done: int, total: int) -> Draft:
    """How far a run came."""
    return Draft(
        data=RunProgressed(
            run=run.id,
            agreement=run.agreement,
            kind=run.kind,
            state=run.state,
            done=done,
            total=total,
            left_out=run.left_out,
            reason=run.reason,
        ),
        tenant=run.tenant,
        subject=f"run/{run.id}",
        agreement=run.agreement,
    )


def question(link: Link, words: TaskOpened | TaskClosed, cause: Envelope | None, lane: Lane) -> Draft:
    """That a question about a customer is open, or no longer."""
    return Draft(
        data=words,
        tenant=link.tenant,
        subject=crm.aggregate(link.crm_id) if link.crm_id else f"link/{link.id}",
        cause=cause,
        customer=link.crm_id or None,
        agreement=link.agreement,
        number=link.number,
        lane=lane,
    )


def question_of(tenant: str, words: TaskOpened | TaskClosed) -> Draft:
    """As ``question``, about a run, or about a customer of which only the words are left."""
    return Draft(
        data=words,
        tenant=tenant,
        subject=crm.aggregate(words.customer) if words.customer else f"economic/{words.agreement}",
        customer=words.customer,
        agreement=words.agreement,
        number=words.number,
    )
