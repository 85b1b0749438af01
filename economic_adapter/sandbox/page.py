"""Which page or form does a person ask for? Plain pages that work without JavaScript."""

from urllib.parse import parse_qsl, urlsplit

from economic_adapter.sandbox import forms, views
from economic_adapter.sandbox.data import AGREEMENT, Agreement, Data
from economic_adapter.sandbox.wire import Answer, Request


def owns(first: list[str]) -> bool:
    """Whether a path belongs to the pages, given its first part."""
    return not first or first[0] in {"kunder", "kontakter", "knapper", "secure", "favicon.ico"}


def serve(data: Data, request: Request) -> Answer:
    """One page, or one form sent; a form is answered with a redirect."""
    number = request.query.get("aftale", "")
    agreement = data.agreements.get(int(number) if number.isdecimal() else AGREEMENT)
    if agreement is None:
        return views.show_lost(data)
    if request.method == "GET":
        return _page(data, agreement, request)
    if request.method != "POST":
        return Answer(405)
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        return views.show_forged(data)
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        return forms.sent(data, agreement, request, form)
    except (KeyError, ValueError):
        return views.show_lost(data)


def _page(data: Data, agreement: Agreement, request: Request) -> Answer:
    match request.segments:
        case []:
            return views.show_list(data, agreement, request)
        case ["kunder", "ny"]:
            with data.lock:
                return views.show_customer(
                    data, agreement, None, {"zone": 1, "customerGroupNumber": 1, "paymentTermId": 1}
                )
        case ["kunder", number] if number.isdecimal():
            with data.lock:
                customer = agreement.customers.get(int(number))
                if customer is None:
                    return views.show_lost(data)
                done = views.DONE.get(request.query.get("ok", ""), "")
                return views.show_customer(data, agreement, customer, customer.values, done=done)
        case ["secure", "api1", "requestaccess.aspx"]:
            return views.show_access(data, request)
        case ["favicon.ico"]:
            return Answer(204)
        case _:
            return views.show_lost(data)
