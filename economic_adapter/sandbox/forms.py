"""What happens when a person sends a form? The change as a person makes it, then back to a page."""

from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from economic_adapter.sandbox import ui, views
from economic_adapter.sandbox.data import AGREEMENT, Agreement, Customer, Data
from economic_adapter.sandbox.fields import Json
from economic_adapter.sandbox.texts import worded
from economic_adapter.sandbox.wire import Answer, Request

_CHOICES = ("customerGroupNumber", "paymentTermId", "zone")


def sent(data: Data, agreement: Agreement, request: Request, form: dict[str, str]) -> Answer:
    place = agreement.number
    match request.segments:
        case ["kunder", "ny"]:
            return _save(data, agreement, None, form)
        case ["kunder", number]:
            return _save(data, agreement, agreement.customers[int(number)], form)
        case ["kunder", number, *rest]:
            return _on_customer(data, agreement, agreement.customers[int(number)], rest, form)
        case ["kontakter", number, *rest]:
            contact = agreement.contacts[int(number)]
            owner = agreement.customers[contact.customer]
            try:
                if rest == ["slet"]:
                    ui.delete_contact(data, contact.number, agreement=place)
                    return _to(agreement, f"/kunder/{owner.number}", "kontaktvaek")
                ui.edit_contact(data, contact.number, _contact_form(form), agreement=place)
            except ui.NotTaken as refused:
                return views.show_customer(data, agreement, owner, owner.values, wrong=_words(refused), status=400)
            return _to(agreement, f"/kunder/{owner.number}", "kontakt")
        case ["knapper", button]:
            return _pressed(data, agreement, button)
        case ["secure", "api1", "requestaccess.aspx"]:
            return _given(data, request, form)
        case _:
            return views.show_lost(data)


def _on_customer(data: Data, agreement: Agreement, customer: Customer, rest: list[str], form: dict[str, str]) -> Answer:
    place = agreement.number
    try:
        match rest:
            case ["slet"]:
                ui.delete_customer(data, customer.number, agreement=place)
                return _to(agreement, "/", "slettet")
            case ["nummer"]:
                moved = ui.renumber_customer(data, customer.number, int(form["number"]), agreement=place)
                return _to(agreement, f"/kunder/{moved.number}", "nummer")
            case ["kontakter"]:
                ui.create_contact(data, customer.number, _contact_form(form), agreement=place)
                return _to(agreement, f"/kunder/{customer.number}", "kontakt")
            case _:
                return views.show_lost(data)
    except ui.NotTaken as refused:
        with data.lock:
            return views.show_customer(data, agreement, customer, customer.values, wrong=_words(refused), status=400)


def _save(data: Data, agreement: Agreement, customer: Customer | None, form: dict[str, str]) -> Answer:
    values: Json = {name: form[name].strip() for name in views.TEXTS if name in form}
    values |= {name: int(form[name]) for name in _CHOICES if form.get(name, "").isdecimal()}
    values["access"] = "barred" not in form
    with data.lock:
        if customer is not None and form.get("version") != customer.version:
            said = "Kunden er rettet af en anden, mens du så på den. Her er den, som den er nu."
            return views.show_customer(data, agreement, customer, customer.values, wrong=[said], status=409)
        try:
            if customer is None:
                wanted = form.get("number", "").strip()
                chosen = int(wanted) if wanted else None
                made = ui.create_customer(data, values, chosen, agreement=agreement.number)
                return _to(agreement, f"/kunder/{made.number}", "oprettet")
            ui.edit_customer(data, customer.number, values, agreement=agreement.number)
        except ui.NotTaken as refused:
            return views.show_customer(data, agreement, customer, values, wrong=_words(refused), status=400)
    return _to(agreement, f"/kunder/{customer.number}", "gemt")


def _contact_form(form: dict[str, str]) -> Json:
    values: Json = {name: form[name].strip() for name, _ in views.CONTACT_FIELDS if name in form}
    if "copies" in form:  # a box that is not ticked is not sent
        values |= {name: name in form for name, _ in views.COPIES}
    return values


def _pressed(data: Data, agreement: Agreement, button: str) -> Answer:
    match button:
        case "vaek":
            data.faults.take_away(30)
        case "tilbage":
            data.faults.bring_back()
        case "webhook":
            data.faults.add("hook_lost")
        case "adgang":
            with data.lock:
                for grant in data.grants.values():
                    grant.revoked = grant.revoked or grant.agreement == agreement.number
        case _:
            return views.show_lost(data)
    return _to(agreement, "/", button)


def _given(data: Data, request: Request, form: dict[str, str]) -> Answer:
    token = ui.give_access(data, int(form["agreement"]), request.query.get("apppublictoken", ""))
    target = urlsplit(request.query.get("redirecturl", ""))
    if target.scheme not in {"http", "https"} or not target.netloc:
        return views.render(data, "access.html", token=token)
    query = f"{target.query}&" if target.query else ""
    location = urlunsplit(target._replace(query=f"{query}token={quote(token)}"))
    return Answer(302, headers={"Location": location, "Cache-Control": "no-store"})


def _words(refused: ui.NotTaken) -> list[str]:
    return [flaw.message or worded(flaw.code, "da") for flaw in refused.flaws]


def _to(agreement: Agreement, path: str, done: str) -> Answer:
    named = {"ok": done} | ({"aftale": str(agreement.number)} if agreement.number != AGREEMENT else {})
    return Answer(303, headers={"Location": f"{path}?{urlencode(named)}"})
