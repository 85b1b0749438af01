"""One full message of every released type. ``python -m tests.contract.samples`` keeps those that have no golden file yet.

A golden file is never written again: it is what was once on the bus, and must be understood for ever.
"""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from crm_outbox.contract import (
    BackfillProgressed,
    ContactPerson,
    Customer,
    CustomerChanged,
    CustomerWritten,
    NotSent,
    Outcome,
    Part,
    Result,
    RunBackfill,
    Stage,
    WriteCustomer,
    many,
)
from crm_outbox.messaging.envelope import Envelope, Version, Words, encode
from deploy.contracts import TYPES
from economic_adapter.contract import (
    AgreementObserved,
    Choice,
    ConfigureAgreement,
    CrmState,
    CustomerObserved,
    Defaults,
    EconomicContact,
    EconomicCustomer,
    EconomicPart,
    Figures,
    ImportProgressed,
    InstallationObserved,
    LookAtCustomer,
    Looked,
    Reach,
    Reference,
    RefusedHook,
    RunImport,
    Search,
    Shown,
    WriteEconomicCustomer,
)
from reconciler.contract import RunProgressed, StatusChanged, TaskClosed, TaskOpened

GOLDEN = Path(__file__).parents[1] / "golden" / "messages"
AT = datetime(2026, 11, 24, 9, 30, 15, 250000, UTC)


def identity(number: int) -> UUID:
    """An invented id."""
    return UUID(int=0x01932B6F_0D3A_7C11_8C5E_000000000000 + number)


_CONTACT = ContactPerson(id="p-7", origin=identity(90), name="Mette Holm", email="mette@nordhavn.example", phone="+4520304050", notes="Bogholder")  # fmt: skip
_MANY = many(str(one) for one in range(48000, 48200))
_CUSTOMER = Customer(
    id="48211",
    stage=Stage.ACTIVE,
    origin=identity(91),
    created=AT,
    active_since=AT,
    number=1042,
    name="Nordhavn Tømrer ApS",
    cvr="12345674",
    ean="5790000000005",
    pnumber="1000000001",
    street="Århusgade 12\n2. th.",
    postcode="2100",
    city="København Ø",
    country="Danmark",
    phone="+4533112233",
    mobile="+4520304050",
    email="post@nordhavn.example",
    website="https://nordhavn.example",
    contacts=(_CONTACT,),
)
_HOOK = RefusedHook(at=AT, why="content_type", given="application/json")
_OUTCOME = Outcome(
    operation=identity(92),
    result=Result.REFUSED,
    reason="CustomerInvalidEmail",
    message="Email is invalid",
    detail="email",
    created="48211",
    request_id="a3c1f0d2b4e69788-CPH",
)
_ECONOMIC = EconomicCustomer(
    number=1042,
    object_version="AAAAAAAB",
    barred=False,
    group=1,
    terms=2,
    zone=1,
    currency="DKK",
    shown=Shown(invoice_recipient="faktura@nordhavn.example", credit_limit=25000.5, attention=7),
    **{name: getattr(_CUSTOMER, name) for name in (
        "name", "cvr", "ean", "pnumber", "street", "postcode", "city", "country", "phone", "mobile", "email", "website",
    )},
    contacts=(EconomicContact(number=7, object_version="AAAAAAAC", name="Mette Holm", email="mette@nordhavn.example", receives=("invoices",), e_invoice_id="5790000000005-7"),),
)  # fmt: skip
_DEFAULTS = Defaults(group=1, terms=2, zone=1, currency="DKK")
_FIELDS = {"name": "Nordhavn Tømrer A/S", "street": ""}

SAMPLES: tuple[Words, ...] = (
    CustomerChanged(
        id="48211",
        change="edited",
        customer=_CUSTOMER,
        unsendable=NotSent(reason="too_large", detail="notes"),
        run=identity(96),
    ),
    CustomerWritten(
        id="48211",
        agreement=123456,
        customer=_CUSTOMER,
        outcomes=(_OUTCOME,),
        candidates=("48000",),
        candidates_many=_MANY,
    ),
    WriteCustomer(
        agreement=123456,
        customer="48211",
        version="1.17",
        parts=(
            Part(
                operation=identity(93),
                action="change",
                record="customer",
                id="48211",
                fields=_FIELDS,
                stage=Stage.INACTIVE,
            ),
        ),
        ruled_out=("48000",),
        ruled_out_many=_MANY,
    ),
    CustomerObserved(
        agreement=123456,
        why="crm_changed",
        customer="48211",
        number=1042,
        version="1.3",
        economic=_ECONOMIC,
        absent=False,
        crm=CrmState(version="1.17", customer=_CUSTOMER),
        outcomes=(_OUTCOME,),
        candidates=(1000,),
        candidates_many=_MANY,
        old_numbers=(1041,),
        run=identity(96),
        caused=AT,
        look=Looked(look=identity(100), how="unanswered", cause="away"),
    ),
    AgreementObserved(
        agreement=123456,
        name="Nordhavn Tømrer ApS",
        state="on",
        cause="",
        customers=300,
        webhooks="registered",
        polling=True,
        reference=Reference(
            groups=(Choice(number=1, name="Indland"),),
            terms=(Choice(number=2, name="8 dage"),),
            zones=(Choice(number=1, name="Danmark"),),
            currencies=("DKK",),
            default_group=1,
            default_terms=2,
            base_currency="DKK",
        ),
        calls_today=412,
        seen=AT,
        outcome=_OUTCOME,
        reach=Reach(at=AT, down_since=AT, next_call=AT, paused_since=AT),
        figures=Figures(
            at=AT,
            calls=412,
            most=45_000,
            missed=2,
            connected=AT,
            hooked=AT,
            by_hand=AT,
            refused=_HOOK,
            checked=AT,
            every=60.0,
            late_since=AT,
        ),
    ),
    InstallationObserved(at=AT, lacks=("ECONOMIC_APP_SECRET", "ECONOMIC_APP_PUBLIC")),
    LookAtCustomer(
        agreement=123456,
        number=1042,
        expires=AT,
        look=identity(100),
        search=Search(customer="48211", cvr="12345674", ean="5790000000005"),
    ),
    WriteEconomicCustomer(
        agreement=123456,
        customer="48211",
        number=1042,
        person=True,
        parts=(
            EconomicPart(
                operation=identity(94),
                action="create",
                record="customer",
                number=1042,
                object_version="AAAAAAAB",
                fields=_FIELDS,
                defaults=_DEFAULTS,
                seen=(1000,),
                seen_many=_MANY,
            ),
        ),
    ),
    RunBackfill(run=identity(96), start=True),
    BackfillProgressed(run=identity(96), read=320, count=320, closed=True, stopped=False),
    RunImport(run=identity(97), agreement=123456, action="start", kind="import"),
    ImportProgressed(
        run=identity(97),
        agreement=123456,
        kind="import",
        state="closed",
        cause="",
        read=305,
        count=305,
        contacts=388,
        calls=3,
        found=0,
        closed=True,
    ),
    ConfigureAgreement(
        operation=identity(95),
        agreement=123456,
        on=True,
        webhooks=True,
        polling=True,
        number_from=1000,
        number_to=1999,
        asked=AT,
    ),
    StatusChanged(
        customer="48211",
        agreement=123456,
        number=1042,
        state="error",
        details=("email",),
        reason="CustomerInvalidEmail",
        message="Email is invalid",
        request_id="a3c1f0d2b4e69788-CPH",
        since=AT,
    ),
    TaskOpened(
        task=identity(98),
        kind="values",
        reason="both",
        customer="48211",
        agreement=123456,
        number=1042,
        details=("name",),
        page=f"/tasks/{identity(98)}",
        opened=AT,
    ),
    TaskClosed(
        task=identity(98),
        kind="values",
        customer="48211",
        agreement=123456,
        number=1042,
        how="settled",
        page=f"/tasks/{identity(98)}",
        closed=AT,
    ),
    RunProgressed(
        run=identity(99),
        agreement=123456,
        kind="transfer",
        state="running",
        done=412,
        total=1250,
        left_out=3,
        reason="",
    ),
)


def envelope(data: Words, place: int) -> Envelope:
    """The whole message around a sample."""
    kind = next(kind for kind in TYPES if kind.data is type(data))
    return Envelope(
        id=identity(place),
        type=kind.name,
        source=kind.exchange.partition(".")[0],
        time=AT,
        tenant="acme",
        subject="customer/48211",
        version=Version(1, 17),
        causation=identity(80),
        correlation=str(identity(81)),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        customer="48211",
        agreement=123456,
        number=1042,
        data=data,
    )


def main() -> None:
    """Write the golden files that are missing."""
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for place, data in enumerate(SAMPLES, 1):
        message = envelope(data, place)
        path = GOLDEN / f"{message.type}.json"
        if not path.exists():
            path.write_bytes(encode(message))


if __name__ == "__main__":
    main()
