"""How are many links approved at once? Suggested pairs by what speaks for them, both customers side by side; marked and linked.

A group that is weaker than a CVR or EAN number is linked only after an administrator approved the group.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

from fastapi import Request, Response

from reconciler import acts, agreements, bulking, suggestions
from reconciler.bulking import Form
from reconciler.bulks import Bulk
from reconciler.enlisted import Marked
from reconciler.evidence import Evidence
from reconciler.pairing import Answer
from reconciler.person import Person
from reconciler.suggestions import Suggestion
from reconciler.web import asks, bulk, doors, filters, screen
from reconciler.web.doors import Conflict, Known, Senseless
from reconciler.web.filters import A_PAGE
from reconciler.web.run_words import EVIDENCE
from reconciler.web.says import label, within
from reconciler.web.site import Site
from reconciler.web.words import Words

SHOWN: Final = ("name", "cvr", "ean", "street", "postcode", "city", "phone", "mobile", "email")
"""What is shown of both customers, where either holds it."""
SAME: Final[Mapping[str, str]] = {
    "cvr": "cvr", "ean": "ean", "pnumber": "pnumber", "name": "name", "name_similar": "name", "street": "street",
    "street_similar": "street", "postcode": "postcode", "city": "city", "phone": "phone", "email": "email",
    "contact_email": "email", "email_domain": "email",
}  # fmt: skip
"""What agrees, as the detail people know it by."""
WEAK: Final = tuple(one for one in suggestions.EVERY if one not in suggestions.STRONG and one != Evidence.NAME)


def page(site: Site, request: Request, one: Known) -> Response:
    """Every suggested pair, the strongest evidence first; all that is shown is marked where the address says so."""
    query, tenant = request.query_params, one.person.tenant
    paged = filters.page(query)
    with site.engine.connect() as connection:
        agreement = agreements.in_use(connection, tenant)
        counts = {} if agreement is None else suggestions.counts(connection, tenant, agreement)
        wanted = groups(query.get("evidence", ""))
        total = sum(n for evidence, n in counts.items() if evidence in wanted)
        state = suggestions.state(connection, tenant, agreement or 0)
        rows = (
            []
            if agreement is None
            else suggestions.shown(
                connection, tenant, agreement, wanted, limit=A_PAGE, skip=A_PAGE * (paged - 1)
            )
        )  # fmt: skip
    able = sum(n for evidence, n in counts.items() if evidence in wanted and state.may_link(evidence))
    every, marked = query.get("all") == "1", [each.key for each in rows if state.may_link(each.evidence) and each.holds]
    beyond = max(0, min(able, bulking.MOST) - sum(state.may_link(each.evidence) for each in rows)) if every else 0
    return screen.page(
        site,
        "suggestions.html",
        one,
        here="suggestions",
        known=agreement is not None,
        rows=rows,
        counts=counts,
        all=sum(counts.values()),
        total=total,
        able=min(able, bulking.MOST),
        every=every,
        marked=marked if every else [],
        beyond=beyond,
        evidence=query.get("evidence", "") if query.get("evidence") in counts else "",
        state=state,
        groups={name: one.words(EVIDENCE[name]) for name in counts},
        page=paged,
        pages=max(1, -(-total // A_PAGE)),
        address=lambda **more: _address(**{"evidence": query.get("evidence", ""), **more}),
        same=lambda each: same(one.words, each),
        lines=_lines,
        label=lambda name: label(one.words, name),
        shown=asks.shown,
        bulk=uuid4(),
        may=doors.has(site, one.person, "bulk"),
        may_administer=one.person.role == "admin",
        told=query.get("told", ""),
    )


def answer(site: Site, request: Request, one: Known) -> Response:
    """Link what was marked, or say that those are not the same; on to what came of it."""
    given = doors.form(site, request, one, "bulk", "bulk", "answer", "filter", "all", "pair", "shown")
    answered: Answer | None = next((each for each in ("link", "apart") if given.get("answer") == [each]), None)
    if answered is None:
        raise Senseless("no answer of ours")
    evidence = dict(parse_qsl("".join(given.get("filter", [])).removeprefix("?"))).get("evidence", "")
    pairs = [_pair(text) for text in given.get("pair", [])]
    marked = Marked(pairs=pairs)
    if given.get("all") == ["1"]:
        shown = [_pair(text) for text in given.get("shown", [])]
        marked = Marked(everything_of=groups(evidence), but=[each for each in shown if each not in pairs])
    address = _address(evidence)
    form = Form(id=doors.parsed("".join(given.get("bulk", []))), session=bulk.mark(one), filter=address)
    try:
        found = answered_to(site, one.person, form, answered, marked)
    except Conflict as why:
        return doors.to(site, f"/suggestions{_address(evidence, told=str(why))}")
    return doors.to(site, f"/bulk/{found.id}")


def answered_to(site: Site, person: Person, form: Form, answered: Answer, marked: Marked) -> Bulk:
    """Link these pairs or tell them apart, for pages and services alike. ``Lacking``; ``Conflict`` where none can be."""
    doors.must(site, person, "bulk")
    with site.engine.begin() as connection:
        agreement = agreements.in_use(connection, person.tenant)
        if agreement is None:
            raise Conflict("none")
        made, found = bulking.pair(site.clocked, connection, person, form, answered, agreement, marked)
        if made is None:
            raise Conflict("approve" if found else "none")
        return made


def approve(site: Site, request: Request, one: Known) -> Response:
    """Let a group of weaker evidence be linked, or no more."""
    given = doors.form(site, request, one, "administer", "evidence", "approved")
    approved(site, one.person, "".join(given.get("evidence", [])), to=given.get("approved") == ["1"])
    return doors.to(site, "/suggestions")


def approved(site: Site, person: Person, evidence: str, *, to: bool) -> None:
    """Approve a group, or take the approval back. ``Lacking``; ``Senseless`` for what is no such group."""
    doors.must(site, person, "administer")
    if evidence not in WEAK:
        raise Senseless("no group of ours")
    with site.engine.begin() as connection:
        agreement = agreements.in_use(connection, person.tenant)
        if agreement is None:
            return
        if to:
            who = (person.name, person.id)
            changed = suggestions.approve(connection, person.tenant, agreement, evidence, who, site.now())
        else:
            changed = suggestions.disapprove(connection, person.tenant, agreement, evidence)
        if changed:
            act: acts.Act = "approve_group" if to else "withdraw_group"
            acts.add(connection, person, act, site.now(), agreement, {"evidence": ("", evidence)})


def search(site: Site, request: Request, one: Known) -> Response:
    """Look for pairs anew; the page says when they are there."""
    doors.form(site, request, one, "bulk")
    searched(site, one.person)
    return doors.to(site, "/suggestions")


def searched(site: Site, person: Person) -> bool:
    """Have pairs looked for anew; whether there is anything to look in. ``Lacking``."""
    doors.must(site, person, "bulk")
    with site.engine.begin() as connection:
        agreement = agreements.in_use(connection, person.tenant)
        if agreement is not None:
            suggestions.ask(connection, person.tenant, agreement, site.now())
    return agreement is not None


def groups(evidence: str) -> tuple[str, ...]:
    """The groups that an address names: one, or all."""
    return (evidence,) if evidence in suggestions.EVERY else suggestions.EVERY


def same(words: Words, one: Suggestion) -> str:
    """Everything that agrees, in a row."""
    found = dict.fromkeys(within(words, SAME[code]) for code in one.reasons if code in SAME)
    return ", ".join(found)


def _lines(one: Suggestion) -> list[tuple[str, str, str]]:
    """What both hold, detail by detail, where either holds anything."""
    here, there = one.here.values, one.there.values
    both = [(name, here.get(name, ""), there.get(name, "")) for name in SHOWN]
    return [each for each in both if each[1].strip() or each[2].strip()]


def _address(evidence: object, **more: object) -> str:
    known = {"evidence": evidence} if evidence in suggestions.EVERY else {}
    given = {name: value for name, value in {**known, **more}.items() if value not in {"", None}}
    return f"?{urlencode(given)}" if given else ""


def _pair(text: str) -> tuple[str, int]:
    number, _, crm_id = text.partition(".")
    if not (number.isascii() and number.isdecimal() and len(number) < 10 and crm_id):
        raise Senseless("no pair of ours")
    return crm_id, int(number)


PAGES: Final = {
    ("GET", "/suggestions"): page,
    ("POST", "/suggestions"): answer,
    ("POST", "/suggestions/groups"): approve,
    ("POST", "/suggestions/search"): search,
}
