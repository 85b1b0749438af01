"""How is a schedule told? One line for each thing that matters: when, who did what to which customer, old value and new."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.simulation.pools import START
from tests.simulation.trace import Note
from tests.simulation.world import World

LONGEST = 40
"""Lines of a story at most; the middle is left out of a longer one."""
_STATES = {
    "unlinked": "is linked with nothing",
    "creating": "is being created in e-conomic",
    "linked": "is linked",
    "resting": "rests: nothing flows",
}


def told(world: World) -> list[str]:
    """The story of a world that was lived, ten to forty lines of it, and what is wrong."""
    setup = world.setup
    lines = [
        f"Seed {world.schedule.seed}, theme {setup.theme!r}, {setup.customers} customers of the CRM, "
        f"{len(world.schedule.events)} events."
    ]
    body = list(_joined(_lines(world.trace.notes)))
    if len(body) > LONGEST - 4:
        left_out = len(body) - (LONGEST - 5)
        head = body[: (LONGEST - 5) // 3]
        body = [*head, f"         ... {left_out} more ...", *body[len(head) + left_out :]]
    lines += body
    if world.broken:
        lines += [f"Broken:  {one}" for one in world.broken[:3]]
    else:
        lines.append(f"At rest: everything agrees, is asked, refused or left as it is. {_counts(world.trace.counts)}")
    return lines


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in sorted(counts) if counts[name])


def _lines(notes: Iterable[Note]) -> Iterable[str]:
    for note in notes:
        if text := _sentence(note):
            gone = (note.at - START).total_seconds() if note.at > START else 0.0
            yield f"{int(gone // 3600):3}:{int(gone // 60) % 60:02}:{int(gone) % 60:02}  {text}"


def _joined(lines: Iterable[str]) -> Iterable[str]:
    """The same sentence over and over is told once."""
    last, times = "", 0
    for line in lines:
        if line[11:] == last[11:]:
            times += 1
            continue
        if times:
            yield f"{last} (and {times} more times)"
        elif last:
            yield last
        last, times = line, 0
    if last:
        yield f"{last} (and {times} more times)" if times else last


def _sentence(note: Note) -> str:
    who, about, more = note.who, note.about, note.more
    match note.what:
        case "created":
            return f"{who}: {about} is created, {', '.join(str(one) for one in more if one)}"
        case "edit":
            name, old, new = more
            return f"{who}: somebody edits {about}, {name}: {_value(old)} -> {_value(new)}"
        case "person added":
            return f"{who}: somebody adds a contact person to {about}: {more[0]!r} {more[1]!r}"
        case "person edited":
            return f"{who}: somebody edits contact person {more[0]} of {about}, {more[1]}: -> {_value(more[2])}"
        case "person removed":
            return f"{who}: somebody removes contact person {more[0]} of {about}"
        case "stage":
            return f"{who}: {about} becomes {more[0]}"
        case "deleted":
            return f"{who}: somebody deletes {about}"
        case "merged":
            return f"{who}: somebody merges {about} into {more[0]}"
        case "renumbered":
            return f"{who}: somebody gives customer {about} the number {more[0]}"
        case "stuck":
            return f"{who}: from here on every call about customer {about} fails"
        case "reused":
            return f"{who}: customer {about} is deleted and its number given to another company, {more[0]}"
        case "rules":
            return f"{who} changes the rules"
        case "link":
            state, rest, number, by = more
            text = _STATES.get(str(state), str(state))
            with_number = f" with {number}" if number and state == "linked" else ""
            return f"reconciler: {about} {text}{with_number}" + (f" ({rest or by})" if rest or by else "")
        case "command":
            to, action, record, fields = more
            what = {"create": "create", "change": "write", "remove": "remove", "bar": "bar"}[str(action)]
            record_of = "" if record == "customer" else "contact person of "
            return f"reconciler: told {to} to {what} {record_of}{about}: {_fields(fields, brief=action == 'create')}"
        case "again":
            return f"reconciler: tells {more[0]} the same again for {about}, for no answer came"
        case "status":
            state, reason, details = more
            if state not in {"choice", "error", "deleted"}:
                return ""
            return f"reconciler: {about} now shows {state!r} {reason} {', '.join(details)}".rstrip()  # type: ignore[arg-type]
        case "wrote in the CRM":
            return f"the product wrote in the CRM, {about}: {'; '.join(more[0])}"  # type: ignore[arg-type]
        case "wrote in e-conomic":
            path, shown = more[0], "; ".join(str(one) for one in more[1:])
            return f"the product wrote in e-conomic, {about}: {shown}" if shown != path else ""
        case "call":
            return f"e-conomic: {more[0]} {about}: {more[1]}"
        case "lost":
            return f"RabbitMQ is lost with {more[0]} messages; the outboxes send theirs again"
        case "lost one":
            return f"RabbitMQ loses a {more[0]} about {about}"
        case "hook lost":
            return f"e-conomic: the hook for {about} never arrives"
        case "crashed":
            return f"killed {more[0]}: the process that did {who!r}"
        case "rests":
            return "From here on nothing goes wrong any more; everything under way arrives and both are swept."
        case "trouble":
            return f"{who}: {({'return': 'a message could not be routed', 'nack': 'the broker refused some', 'close': 'the channel was closed', 'silence': 'no confirmation came'})[str(more[0])]}"
        case "waits":
            return ""
        case _:
            return f"{who}: {note.what} {about} {' '.join(str(one) for one in more)}".rstrip()


def _fields(fields: Any, *, brief: bool) -> str:
    if brief:
        fields = [one for one in fields if one[0] in {"name", "cvr", "email"}]
    return ", ".join(f"{name} {_value(value)}" for name, value in fields)


def _value(value: object) -> str:
    text = str(value)
    return repr(text if len(text) < 34 else f"{text[:30]}...") if text else "(empty)"
