"""What must the broker hold, and where does it differ? Pure: two documents in, sentences out.

Both documents have the shape of RabbitMQ's definitions. What another service has of its own is left alone, unless it
could make one of our publishes fail or feed one of our queues.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

VHOST = "sync"
Document = Mapping[str, Any]
Entry = Mapping[str, Any]


def renamed(definitions: Document, vhost: str) -> dict[str, list[dict[str, Any]]]:
    """The same definitions for a vhost of another name; ``sync-jobs`` becomes ``<vhost>-jobs``."""
    names = {VHOST: vhost, f"{VHOST}-jobs": f"{vhost}-jobs"}
    result: dict[str, list[dict[str, Any]]] = {}
    for kind, entries in definitions.items():
        key = "name" if kind == "vhosts" else "vhost"
        result[kind] = [entry | ({key: names[entry[key]]} if key in entry else {}) for entry in map(dict, entries)]
    return result


def differences(wanted: Document, found: Document) -> list[str]:
    """Every difference in plain words, in the order vhosts, exchanges, queues, bindings, policies, users, permissions.

    A kind that is missing from ``found`` could not be read with the rights given, and is not compared.
    """
    problems: list[str] = []
    for kind, compare in _COMPARED.items():
        if kind in found:
            problems += compare(wanted, found)
    return problems


def queues(definitions: Document) -> list[str]:
    """The names of the queues of work, each with ``.dead`` beside it."""
    names = {entry["name"] for entry in definitions["queues"]}
    return sorted(name for name in names if f"{name}.dead" in names)


def is_broker_queue(name: str) -> bool:
    """Whether a queue is the one that tells one broker from another."""
    return name.startswith("broker.")


def _vhosts(wanted: Document, found: Document) -> Iterable[str]:
    there = {entry["name"] for entry in found["vhosts"] if "name" in entry}  # one that is being deleted has none
    return [f"vhost {entry['name']} is missing" for entry in wanted["vhosts"] if entry["name"] not in there]


def _exchanges(wanted: Document, found: Document) -> Iterable[str]:
    there = {(entry["vhost"], entry["name"]): entry for entry in found["exchanges"]}
    for entry in wanted["exchanges"]:
        other = there.get((entry["vhost"], entry["name"]))
        if other is None:
            yield f"exchange {entry['name']} is missing"
            continue
        for key in ("type", "durable", "auto_delete", "internal"):
            if other.get(key) != entry[key]:
                yield f"exchange {entry['name']}: {key} is {other.get(key)}, must be {entry[key]}"
        if other.get("arguments"):
            yield f"exchange {entry['name']} has arguments, must have none: {_said(other['arguments'])}"


def _queues(wanted: Document, found: Document) -> Iterable[str]:
    ours = {entry["name"]: entry for entry in wanted["queues"]}
    there = {entry["name"]: entry for entry in found["queues"]}
    for name, entry in ours.items():
        other = there.get(name)
        if other is None:
            yield f"queue {name} is missing"
            continue
        for key in ("durable", "auto_delete"):
            if other.get(key) != entry[key]:
                yield f"queue {name}: {key} is {other.get(key)}, must be {entry[key]}"
        kind = _kind(other)
        if kind != entry["arguments"]["x-queue-type"]:
            yield f"queue {name}: type is {kind}, must be {entry['arguments']['x-queue-type']}"
        extra = {key: value for key, value in dict(other.get("arguments") or {}).items() if key != "x-queue-type"}
        if extra:
            yield f"queue {name} has arguments that are not in the file: {_said(extra)}"
        if "effective_policy_definition" in other:
            policy = _policy_for(wanted["policies"], name)
            effective = dict(other["effective_policy_definition"] or {})
            if effective != policy:
                yield f"queue {name}: what applies to it is {_said(effective)}, must be {_said(policy)}"
    prefixes = tuple(f"{name.partition('.')[0]}." for name in ours)
    for name in sorted(there.keys() - ours.keys()):
        if name.startswith(prefixes):
            yield f"queue {name} is not in the file, and its name is ours"
    if len(identities := sorted(name for name in there if is_broker_queue(name))) != 1:
        yield (
            "queue broker.<uuid> is missing: run `crm_outbox topology init`"
            if not identities
            else f"there is more than one queue broker.<uuid>: {', '.join(identities)}"
        )


def _bindings(wanted: Document, found: Document) -> Iterable[str]:
    ours = {_way(entry): entry for entry in wanted["bindings"]}
    there = {_way(entry): entry for entry in found["bindings"] if entry["source"]}
    for way in ours.keys() - there.keys():
        yield f"binding {_walk(way)} is missing"
    own_queues = {entry["name"] for entry in wanted["queues"]}
    own_exchanges = {entry["name"] for entry in wanted["exchanges"]}
    refusing = {entry["name"] for entry in found.get("queues", ()) if _refuses(entry)}
    for way in sorted(there.keys() - ours.keys()):
        source, destination, kind, key = way
        if kind == "queue" and destination in own_queues:
            yield f"binding {_walk(way)} is not in the file, and feeds a queue of ours"
        elif kind == "queue" and is_broker_queue(destination):
            if (source, key) != ("broker", destination.removeprefix("broker.")):
                yield f"binding {_walk(way)} is not in the file, and feeds a queue of ours"
        elif source in own_exchanges and kind == "queue" and destination in refusing:
            yield (
                f"queue {destination} is bound to {source} and refuses publishes when it is full:"
                " it must drop its oldest instead (overflow drop-head)"
            )
    for source, destination, kind, key in sorted(there.keys()):
        if kind == "queue" and is_broker_queue(destination) and source != "broker":
            continue
        if source == "broker" and not is_broker_queue(destination):
            yield f"binding broker -> {destination} by {key}: only queue broker.<uuid> may be bound to exchange broker"


def _policies(wanted: Document, found: Document) -> Iterable[str]:
    there = {entry["name"]: entry for entry in found["policies"]}
    for entry in wanted["policies"]:
        other = there.get(entry["name"])
        if other is None:
            yield f"policy {entry['name']!r} is missing"
            continue
        for key in ("pattern", "apply-to", "priority", "definition"):
            if other.get(key) != entry[key]:
                yield f"policy {entry['name']!r}: {key} is {_said(other.get(key))}, must be {_said(entry[key])}"


def _users(wanted: Document, found: Document) -> Iterable[str]:
    there = {entry["name"]: entry for entry in found["users"]}
    for entry in wanted["users"]:
        other = there.get(entry["name"])
        if other is None:
            yield f"user {entry['name']} is missing"
        elif (tags := _tags(other)) != sorted(entry["tags"]):
            yield f"user {entry['name']}: tags are {_said(tags)}, must be {_said(sorted(entry['tags']))}"


def _permissions(wanted: Document, found: Document) -> Iterable[str]:
    ours = {(entry["user"], entry["vhost"]): entry for entry in wanted["permissions"]}
    there = {(entry["user"], entry["vhost"]): entry for entry in found["permissions"]}
    for (user, vhost), entry in ours.items():
        other = there.get((user, vhost))
        if other is None:
            yield f"user {user} has no permissions in vhost {vhost}"
            continue
        for key in ("configure", "write", "read"):
            if other[key] != entry[key]:
                yield f"user {user} in vhost {vhost}: {key} is {other[key]!r}, must be {entry[key]!r}"
    names = {entry["name"] for entry in wanted["users"]}
    vhosts = {entry["name"] for entry in wanted["vhosts"]}
    for user, vhost in sorted(there.keys() - ours.keys()):
        if user in names and vhost in vhosts:
            yield f"user {user} has permissions in vhost {vhost} that are not in the file"


_COMPARED: dict[str, Callable[[Document, Document], Iterable[str]]] = {
    "vhosts": _vhosts,
    "exchanges": _exchanges,
    "queues": _queues,
    "bindings": _bindings,
    "policies": _policies,
    "users": _users,
    "permissions": _permissions,
}


def _policy_for(policies: Iterable[Entry], queue: str) -> dict[str, Any]:
    fitting = [entry for entry in policies if re.search(entry["pattern"], queue)]
    return dict(max(fitting, key=lambda entry: int(entry["priority"]))["definition"]) if fitting else {}


def _kind(queue: Entry) -> str:
    return str(queue.get("type") or dict(queue.get("arguments") or {}).get("x-queue-type", "classic"))


def _refuses(queue: Entry) -> bool:
    set_by = dict(queue.get("effective_policy_definition") or {}) | dict(queue.get("arguments") or {})
    return any(str(set_by.get(key, "")).startswith("reject-publish") for key in ("overflow", "x-overflow"))


def _way(binding: Entry) -> tuple[str, str, str, str]:
    return binding["source"], binding["destination"], binding["destination_type"], binding["routing_key"]


def _walk(way: tuple[str, str, str, str]) -> str:
    source, destination, _, key = way
    return f"{source} -> {destination} by {key}"


def _tags(user: Entry) -> list[str]:
    tags = user.get("tags", [])
    return sorted(tag for tag in (tags.split(",") if isinstance(tags, str) else tags) if tag)


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {part}" for key, part in sorted(value.items())) or "nothing"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return repr(value)
