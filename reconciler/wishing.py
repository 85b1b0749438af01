"""What does a person wish who sees a record as it is remembered now? Each detail with what was seen of it; pure."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler import alone, carrying, fields
from reconciler.decisions import NotDecided, Wish
from reconciler.link import Link, Pair
from reconciler.rules import System


def wish(link: Link, pair: Pair, detail: str, take: str, text: Mapping[str, str] | None = None) -> Wish:
    """The wish of a person who sees that record as it is remembered now. ``text``: by field, for both sides."""
    if detail == alone.PERSON and take in {"crm", "economic"} and pair.kind == "contact":
        return _person(link, pair, System(take))
    group = next((one for one in fields.GROUPS[pair.kind] if one.name == detail), None)
    if group is None:
        known = ", ".join(one.name for one in fields.GROUPS[pair.kind])
        raise NotDecided("there is no detail {given}; there are: {offered}", given=detail, offered=known)
    crm = {name: fields.text({} if pair.crm is None else pair.crm.values, name) for name in group.fields}
    economic = {name: fields.text({} if pair.economic is None else pair.economic.values, name) for name in group.fields}
    standing = carrying.standing_in(link).get((pair.id, detail))
    blank = Wish(record=pair.id, detail=detail, take="different", seen_crm=crm, seen_economic=economic, over=standing)
    source = {"crm": crm, "economic": economic}.get(take)
    if detail == "name" and source is not None and fields.blank(source["name"]):
        raise NotDecided("a name may not be empty")
    match take:
        case "crm":
            return replace(blank, take="crm", economic=crm)
        case "economic":
            return replace(blank, take="economic", crm=economic)
        case "different":
            return blank
        case "text":
            _holdable(pair, detail, text or {})
            whole = {**crm, **{name: fields.held(pair.kind, name, value) for name, value in (text or {}).items()}}
            return replace(blank, take="text", crm=whole, economic=whole)
        case _:
            raise NotDecided("{given} is none of crm, economic, text and different", given=take)


def _person(link: Link, pair: Pair, system: System) -> Wish:
    """The wish that a contact person who stands in that system only is created in the other."""
    held = alone.values(pair, system)
    if fields.blank(held["name"]):
        raise NotDecided("a name may not be empty")
    here = system is System.CRM
    return Wish(
        record=pair.id,
        detail=alone.PERSON,
        take="crm" if here else "economic",
        crm=None if here else held,
        economic=held if here else None,
        seen_crm=held if here else {},
        seen_economic={} if here else held,
        over=carrying.standing_in(link).get((pair.id, alone.PERSON)),
    )


def _holdable(pair: Pair, detail: str, text: Mapping[str, str]) -> None:
    """A new text must be one that e-conomic can hold, and may not take away what a customer cannot be without."""
    group = next(one for one in fields.GROUPS[pair.kind] if one.name == detail)
    for name, value in text.items():
        if name not in group.fields:
            raise NotDecided(
                "{detail} has no {name}; it has: {offered}", detail=detail, name=name, offered=", ".join(group.fields)
            )
        held = fields.held(pair.kind, name, value)
        if not fields.same(pair.kind, name, value, held):
            raise NotDecided(
                "e-conomic cannot hold that {name}: of {n} characters it would keep {kept}",
                name=name,
                n=str(len(value)),
                kept=str(len(held)),
            )
    if detail == "name" and fields.blank(text.get("name", "")):
        raise NotDecided("a name may not be empty")
