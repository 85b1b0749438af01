"""What can a person answer on the command line? Settle details, link, tell apart, unlink, answer a question, undo.

Dry without ``--yes``: it tells what each system would get, and what would be refused.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa

from reconciler import chosen, decided, deciding, fields, ordering, store, wished
from reconciler.asked import Task
from reconciler.asking import of_customer, one_link, parts
from reconciler.decided import Saved
from reconciler.decisions import Decision, Means, NotDecided
from reconciler.desk import DONE, REFUSED, WRONG, Desk, changing, say
from reconciler.link import Decided
from reconciler.rules import Area, System
from reconciler.step import step
from reconciler.stepping import Clocked
from reconciler.tasks import tasks

ANSWERS: Mapping[str, Means] = {
    "leave": "leave", "create": "create", "inactive": "inactive", "bar": "bar", "same-customer": "same_customer",
    "same-person": "same_person", "another-person": "another_person", "retry": "retry", "link": "link",
    "not-the-same": "not_the_same", "supply": "supply",
}  # fmt: skip
_NAMES = {System.CRM: "Clickmate", System.ECONOMIC: "e-conomic"}
_Does = Callable[[argparse.Namespace, sa.Engine, Clocked], int]


def mount(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", desk: Desk) -> None:
    """Add ``settle``, ``answer``, ``link``, ``not-the-same``, ``unlink`` and ``undo``."""
    settle = of_customer(commands.add_parser("settle", help="choose whose value both systems get, detail by detail"))
    settle.add_argument("--use", action="append", default=[], metavar="DETAIL=crm|economic")
    settle.add_argument("--text", action="append", default=[], metavar="FIELD=TEXT", help="a new value for both")
    settle.add_argument("--leave", action="append", default=[], metavar="DETAIL", help="leave it different")
    settle.add_argument("--person", metavar="ID", help="of this contact person, by its id as `tasks` or the CRM has it")
    settle.add_argument("--seen", metavar="MARK", help="refuse what moved since the list with this mark was printed")
    _by_someone(settle, desk, _settle)
    answer = of_customer(commands.add_parser("answer", help="answer a question other than by choosing values"))
    answer.add_argument("answer", choices=sorted(ANSWERS))
    answer.add_argument(
        "--with",
        dest="partner",
        metavar="ID",
        help="link, not-the-same: the customer of the CRM, where only e-conomic has it",
    )
    for name, kind in (("area", str), ("group", int), ("terms", int), ("zone", int), ("currency", str)):
        answer.add_argument(
            f"--{name}",
            type=kind,
            choices=[str(one) for one in Area] if name == "area" else None,
            help=f"supply: the {name} of this new customer alone",
        )
    answer.add_argument("--kind", help="which question, when several are open")
    answer.add_argument("--person", metavar="ID", help="the contact person of the CRM it is about")
    answer.add_argument("--other", metavar="ID", help="the contact person of e-conomic it is about")
    _by_someone(answer, desk, _answer)
    for name, means, explained in (
        ("link", "link", "this customer of the CRM is that customer number"),
        ("not-the-same", "not_the_same", "this customer of the CRM is not that customer number, for good"),
    ):
        parser = commands.add_parser(name, help=explained)
        parser.add_argument("customer", metavar="CUSTOMER", help="the customer's id in the CRM")
        parser.add_argument("--tenant")
        parser.add_argument("--agreement", type=int, help="when the customer is known in more than one")
        parser.add_argument("number", type=int, metavar="NUMBER")
        parser.set_defaults(means=means, numbered=None)
        _by_someone(parser, desk, _about_number)
    unlink = of_customer(commands.add_parser("unlink", help="these two are not the same customer; nothing is written"))
    unlink.set_defaults(means="unlink", number=None)
    _by_someone(unlink, desk, _about_number)
    undo = commands.add_parser("undo", help="put back what a decision did, where nobody edited since")
    undo.add_argument("decision", type=UUID, metavar="DECISION")
    undo.add_argument("--tenant", required=True)
    _by_someone(undo, desk, _undo)


def _settle(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    def decide(stored: store.Stored) -> Decision:
        link = stored.link
        if not link.crm_id:
            raise NotDecided("only e-conomic has it: answer it with create, link or not-the-same")
        pair = wished.record(link, arguments.person)
        wishes = wished.wishes(link, pair, arguments)
        if not wishes:
            raise NotDecided("nothing was chosen: say --use, --text or --leave")
        mark = wished.mark(wishes)
        if arguments.seen is not None and arguments.seen != mark:
            raise NotDecided("a value that was shown has moved; look again")
        if not arguments.yes:
            say(f"seen as {mark}")
        return wished.decision(stored, "settle", arguments, clocked, chosen=wishes)

    return _decided(arguments, engine, clocked, decide)


def _answer(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    def decide(stored: store.Stored) -> Decision:
        link = stored.link
        rules = stored.agreement.rules_for(link, clocked.resend)
        open_ = [one for one in tasks(link, rules, clocked.now()) if arguments.kind in {None, one.kind}]
        about_person = ANSWERS[arguments.answer] in {"same_person", "another_person"} or arguments.person is not None
        record = wished.record(link, arguments.person).id if about_person else None
        if record is not None:
            open_ = [one for one in open_ if one.subject in {"", str(record)}]
        means = ANSWERS[arguments.answer]
        if means in {"link", "not_the_same"} or (means == "create" and record is None and not open_):
            return _one_of_both(stored, means, arguments, clocked, open_)
        if arguments.answer != "retry" and len(open_) != 1:
            kinds = ", ".join(sorted({one.kind for one in open_})) or "none"
            raise NotDecided(f"it must be clear which question is answered; open: {kinds}")
        return wished.decision(
            stored,
            ANSWERS[arguments.answer],
            arguments,
            clocked,
            task=open_[0].fingerprint if arguments.answer != "retry" else "",
            record=record,
            other=wished.record(link, arguments.other).id if arguments.other else None,
            given=wished.supplied(arguments) if means == "supply" else None,
            ids=(*(str(one) for one in open_[0].candidates), *open_[0].candidates_here) if open_ else (),
        )

    return _decided(arguments, engine, clocked, decide)


def _one_of_both(
    stored: store.Stored, means: Means, arguments: argparse.Namespace, clocked: Clocked, asked: Sequence[Task]
) -> Decision:
    """What is decided of a customer that one system has: it is created in the other, or is or is not one of those there."""
    link = stored.link
    if means == "create":
        return wished.decision(stored, means, arguments, clocked)
    if link.crm_id or link.number is None:
        raise NotDecided(f"say `{arguments.answer} CUSTOMER NUMBER`, for the CRM has it")
    ids = (arguments.partner,) if arguments.partner else link.candidates_here
    if not ids or (means == "link" and len(ids) > 1):
        raise NotDecided(f"say --with and the customer of the CRM; it may be {', '.join(ids) or 'any'}")
    task = next((one.fingerprint for one in asked if one.kind == "candidates"), "")
    return wished.decision(stored, means, arguments, clocked, number=link.number, ids=ids, task=task)


def _about_number(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    def decide(stored: store.Stored) -> Decision:
        if arguments.number is not None and not 1 <= arguments.number <= 999_999_999:
            raise NotDecided(f"{arguments.number} is no customer number")
        return wished.decision(stored, arguments.means, arguments, clocked, number=arguments.number)

    return _decided(arguments, engine, clocked, decide)


def _undo(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    def do(connection: sa.Connection) -> int:
        saved = decided.get(connection, arguments.decision)
        if saved is None or saved.decision.tenant != arguments.tenant:
            say("there is no such decision")
            return REFUSED
        if not arguments.yes:
            say(
                f"what {saved.decision.who} decided {saved.decision.at:%Y-%m-%d %H:%M} would be put back; repeat with --yes"
            )
            for line in parts(saved):
                say(line)
            return DONE
        try:
            undone = deciding.undo(
                clocked, connection, arguments.tenant, arguments.decision, wished.who(arguments), uuid4()
            )
        except NotDecided as why:
            say(f"refused: {why}")
            return REFUSED
        return _said(undone, {})

    return ordering.within(engine, do)


def _decided(
    arguments: argparse.Namespace,
    engine: sa.Engine,
    clocked: Clocked,
    decide: Callable[[store.Stored], Decision],
) -> int:
    def do(connection: sa.Connection) -> int:
        stored = one_link(connection, arguments)
        if isinstance(stored, int):
            return stored
        try:
            decision = decide(stored)
            if not arguments.yes:
                return _told(stored, decision, clocked)
            saved = deciding.save(clocked, connection, decision)
        except NotDecided as why:
            say(f"refused: {why}")
            return WRONG
        link = store.load(connection, stored.link.id).link
        first = {
            one.detail: other
            for one in saved.outcome
            if one.reason in {"moved", "chosen"} and (other := deciding.chosen_first(connection, link, one)) is not None
        }
        return _said(saved, first)

    return ordering.within(engine, do)


def _told(stored: store.Stored, decision: Decision, clocked: Clocked) -> int:
    """What the decision would do, from the same step that would do it."""
    link = stored.link
    if not decision.wishes:
        number = "" if decision.number is None else f" {decision.number}"
        who = f"customer {link.crm_id}" if link.crm_id else f"number {link.number}"
        say(f"{who}: would be decided: {decision.means}{number}; repeat with --yes")
        return DONE
    rules = stored.agreement.rules_for(link, clocked.resend)
    done = step(link, Decided(decision=decision), rules, clocked.now())
    for one in done.ended:
        say(f"{one.detail}: {one.result} {one.reason}".rstrip())
    for pair in done.link.pairs:
        for name, choice in pair.chosen.items():
            if choice.decision != decision.id or chosen.kept(choice) or pair.crm is None or pair.economic is None:
                continue
            group = next(one for one in fields.GROUPS[pair.kind] if one.name == name)
            for system in chosen.left(pair.kind, group, choice, pair.crm.values, pair.economic.values):
                target = chosen.target(pair.kind, choice, system) or {}
                say(f"{_NAMES[system]} gets: " + ", ".join(f"{one} {target[one]!r}" for one in group.fields))
                if any(one.system is system for one in link.pending) or system in rules.paused:
                    say("  it waits for what is on its way, or for the pause to end")
    say("repeat with --yes")
    return REFUSED if any(one.result == "refused" for one in done.ended) else DONE


def _said(saved: Saved, first: Mapping[str, Saved]) -> int:
    say(f"decision {saved.decision.id}: {saved.state}")
    for line in parts(saved):
        say(line)
    for detail, other in first.items():
        say(f"  {detail}: {other.decision.who} chose {other.decision.at:%Y-%m-%d %H:%M}")
    return REFUSED if saved.state in {"refused", "partly"} else DONE


def _by_someone(parser: argparse.ArgumentParser, desk: Desk, does: _Does) -> None:
    parser.add_argument("--who", help="who decides; by default who is signed in here")
    changing(parser, desk, does)
