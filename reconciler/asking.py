"""What can be asked on the command line of questions and decisions? Open tasks, kept differences, a customer's history."""

import argparse
from uuid import UUID, uuid4

import sqlalchemy as sa

from reconciler import decided, deciding, overview, questions, sides, store
from reconciler.asked import Shown, Task
from reconciler.decided import Saved
from reconciler.desk import DONE, REFUSED, WRONG, Desk, opened, say
from reconciler.link import Link, Pair
from reconciler.tasks import all_candidates, tasks


def mount(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", desk: Desk) -> None:
    """Add ``tasks``, ``kept``, ``decisions`` and ``history``; nothing is changed by them."""
    listed = commands.add_parser("tasks", help="what waits for a person, the oldest first")
    listed.add_argument("--tenant")
    listed.add_argument("--kind")
    listed.add_argument("--customer", metavar="ID", help="one customer of the CRM, with the values it is about")
    listed.set_defaults(command=lambda arguments: _tasks(arguments, desk))
    kept = commands.add_parser("kept", help="details that a person chose to leave different")
    kept.add_argument("--tenant", required=True)
    kept.set_defaults(command=lambda arguments: _kept(arguments, desk))
    decisions = commands.add_parser("decisions", help="what people decided, the newest first, and how it ended")
    decisions.add_argument("--tenant", required=True)
    decisions.add_argument("--open", action="store_true", help="only those that are not carried out yet")
    decisions.set_defaults(command=lambda arguments: _decisions(arguments, desk))
    history = commands.add_parser("history", help="what was decided about a customer, and what was written and why")
    of_customer(history)
    history.set_defaults(command=lambda arguments: _history(arguments, desk))


def of_customer(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Say which customer it is about."""
    parser.add_argument("customer", nargs="?", default="", metavar="CUSTOMER", help="the customer's id in the CRM")
    parser.add_argument(
        "--number", dest="numbered", type=int, help="instead: its customer number, also when only e-conomic has it"
    )
    parser.add_argument("--tenant")
    parser.add_argument("--agreement", type=int, help="when the customer is known in more than one")
    return parser


def one_link(connection: sa.Connection, arguments: argparse.Namespace) -> store.Stored | int:
    """The one link of that customer, not locked; or the exit code, with what is wrong said."""
    if bool(arguments.customer) == (arguments.numbered is not None):
        say("say either the customer's id in the CRM, or --number")
        return WRONG
    if arguments.numbered is not None:
        who, found = f"number {arguments.numbered}", _numbered(connection, arguments)
    else:
        who = f"customer {arguments.customer}"
        found = store.of_customer(connection, arguments.customer, arguments.tenant, arguments.agreement)
    if not found:
        say(f"{who} has no link: no agreement is on, or it was never heard of")
        return REFUSED
    if len({one.link.tenant for one in found}) > 1:
        say("more than one tenant has that customer; say --tenant")
        return WRONG
    if len(found) > 1:
        say("that customer is known in more than one agreement; say --agreement")
        return WRONG
    return found[0]


def _numbered(connection: sa.Connection, arguments: argparse.Namespace) -> list[store.Stored]:
    """The links with that number. One that was only recorded so far gets its own, for what is decided about it."""
    key = (arguments.numbered, arguments.tenant, arguments.agreement)
    found = store.of_number(connection, *key)
    if found or not sides.known_under(connection, *key):
        return found
    for tenant, agreement in sides.known_under(connection, *key):
        store.insert_stranger(connection, uuid4(), tenant, agreement, arguments.numbered)
    return store.of_number(connection, *key)


def told(task: Task, link: Link) -> list[str]:
    """A question in words, with what both sides hold and the last common value."""
    lines = [f"{task.kind} {task.reason}".strip() + (f": {', '.join(task.details)}" if task.details else "")]
    if task.message:
        lines.append(f"  e-conomic: {task.message}")
    if task.candidates:
        lines.append(f"  may be in e-conomic: {', '.join(str(one) for one in task.candidates)}")
    if task.candidates_here:
        lines.append(f"  may be in Clickmate: {', '.join(task.candidates_here)}")
    if (whole := all_candidates(link)) is not None:
        lines.append(f"  of {whole.count} in all, too many to be named")
    lines += [f"  {_shown(one)}" for one in task.shown]
    if task.kind == "contact":
        lines += [f"  person {one.id}: {_person(one)}" for one in link.contacts if str(one.id) != task.subject]
    return lines


def parts(saved: Saved) -> list[str]:
    """How the parts of a decision stand, in words."""
    ended = {(one.record, one.detail): one for one in saved.outcome}
    lines = []
    for wish in saved.decision.wishes:
        one = ended.pop((wish.record, wish.detail), None)
        lines.append(f"  {wish.detail}: " + ("on its way" if one is None else f"{one.result} {one.reason}".strip()))
    lines += ["  " + " ".join(word for word in (one.detail, one.result, one.reason) if word) for one in ended.values()]
    if saved.state == "open" and not lines:
        lines.append("  on its way")
    return lines


def _tasks(arguments: argparse.Namespace, desk: Desk) -> int:
    with opened(desk) as (engine, clocked), engine.connect() as connection:
        found = questions.listed(connection, arguments.tenant, arguments.kind, arguments.customer)
        for one in found:
            who = (
                f"customer {one.customer}" if one.customer else f"run {one.run}" if one.run else "e-conomic's customer"
            )
            number = "" if one.number is None else f" number {one.number}"
            about = f": {', '.join(one.details)}" if one.details else ""
            say(
                f"{one.opened:%Y-%m-%d %H:%M} {one.tenant} {one.agreement} {who}{number} {one.kind} {one.reason}{about}"
            )
        if not found:
            say("nothing waits for a person")
        for link in {one.link for one in found if one.link is not None and arguments.customer}:
            stored = store.load(connection, link)
            rules = stored.agreement.rules_for(stored.link, clocked.resend)
            for task in tasks(stored.link, rules, clocked.now()):
                for line in told(task, stored.link):
                    say(line)
    return REFUSED if found else DONE


def _kept(arguments: argparse.Namespace, desk: Desk) -> int:
    with opened(desk) as (engine, _), engine.connect() as connection:
        links = store.with_kept(connection, arguments.tenant)
        for stored in links:
            for pair, detail, decision in deciding.kept(stored.link):
                saved = decided.get(connection, decision)
                who = "" if saved is None else f" by {saved.decision.who} {saved.decision.at:%Y-%m-%d %H:%M}"
                person = "" if pair.kind == "customer" else f" of person {_person(pair)}"
                say(f"customer {stored.link.crm_id}: {detail}{person} left different{who}; undo {decision}")
    if not links:
        say("nothing was left different")
    return DONE


def _decisions(arguments: argparse.Namespace, desk: Desk) -> int:
    with opened(desk) as (engine, _), engine.connect() as connection:
        found = [
            (one, store.find(connection, one.decision.link))
            for one in decided.of_tenant(connection, arguments.tenant)
            if not arguments.open or one.state == "open"
        ]
    for saved, stored in found:
        link = None if stored is None else stored.link
        who = f"customer {link.crm_id}" if link is not None and link.crm_id else "e-conomic's customer"
        number = "" if link is None or link.number is None else f" number {link.number}"
        first, *rest = _decision(saved)
        say(f"{saved.decision.at:%Y-%m-%d %H:%M} {who}{number} {first}")
        for line in rest:
            say(line)
    if not found:
        say("nothing was decided")
    return DONE


def _history(arguments: argparse.Namespace, desk: Desk) -> int:
    with opened(desk) as (engine, _), engine.connect() as connection:
        stored = one_link(connection, arguments)
        if isinstance(stored, int):
            return stored
        link = stored.link
        events = [(one.decision.at, _decision(one)) for one in decided.of_link(connection, link.id)]
        for entry in overview.written(connection, link.tenant, link.agreement or 0, link.crm_id):
            before, after = entry["before"], entry["after"]
            for field in after:
                by = entry["by"] if entry["decision"] is None else f"person, decision {entry['decision']}"
                text = (
                    f"{entry['system']} {entry['record']} {field}: {before.get(field, '')!r} -> {after[field]!r} ({by})"
                )
                events.append((entry["at"], [text]))
    for at, lines in sorted(events, key=lambda one: one[0], reverse=True):
        say(f"{at:%Y-%m-%d %H:%M:%S} {lines[0]}")
        for line in lines[1:]:
            say(line)
    if not events:
        say("nothing was written or decided yet")
    return DONE


def _decision(saved: Saved) -> list[str]:
    one = saved.decision
    undoes: UUID | None = one.undoes
    return [
        f"{one.who} decided {one.means}{f' of {undoes}' if undoes else ''}: {saved.state} ({one.id})",
        *parts(saved),
    ]


def _shown(one: Shown) -> str:
    base = "never the same" if one.base is None else f"last the same {one.base[0] or '(empty)'!r}"
    if one.base is not None and one.base[0] != one.base[1]:
        base += f" / {one.base[1] or '(empty)'!r}"
    person = f"{one.person} " if one.person else ""
    return f"{person}{one.field}: Clickmate {one.crm or '(empty)'!r}, e-conomic {one.economic or '(empty)'!r}, {base}"


def _person(pair: Pair) -> str:
    side = pair.crm if pair.crm is not None and not pair.crm.gone else pair.economic
    where = "Clickmate" if side is pair.crm else "e-conomic"
    return f"{'' if side is None else side.values.get('name', '')} ({where})"
