"""May this call be served? Tokens, roles, the token bucket, and answers kept under an idempotency key."""

import hashlib
import math
from dataclasses import dataclass

from economic_adapter.sandbox.data import Agreement, Bucket, Data, Grant, Kept
from economic_adapter.sandbox.wire import Answer, Refused, Request

ROLES = {
    "SuperUser": frozenset({"customersapi", "webhooksapi", "legacy"}),
    "Sales": frozenset({"customersapi", "legacy"}),
    "Bookkeeping": frozenset[str](),
    "ProjectEmployee": frozenset[str](),
}
"""Which services an app's role may use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that may be served; ``parts`` is the path below the service, in lower case."""

    data: Data
    agreement: Agreement
    grant: Grant
    request: Request
    parts: list[str]


def grant_of(data: Data, request: Request) -> Grant:
    """Whose call it is; raises 401 for a wrong app, a wrong grant, and one that was taken back."""
    app = data.apps.get(request.headers.get("x-appsecrettoken", ""))
    grant = data.grants.get(request.headers.get("x-agreementgranttoken", ""))
    if app is None or grant is None or grant.app != app.secret or grant.revoked:
        raise Refused(401, "Unauthorized", "The tokens are wrong, or the agreement has taken the grant back.")
    return grant


def admit(grant: Grant, request: Request, service: str) -> None:
    """Raises 403 when the grant does not reach that far."""
    if grant.missing_modules:
        missing = Refused(403, "AccessDeniedAgreementMissingModules", "The agreement lacks a module.")
        missing.title = f"Missing modules: {', '.join(grant.missing_modules)}"
        raise missing
    if service not in ROLES[grant.role]:
        raise Refused(403, "AccessDeniedMissingRole", f"The role {grant.role} does not give access to {service}.")
    if grant.read_only and request.method != "GET":
        raise Refused(403, "AccessDeniedReadOnly", "The demo agreement can only be read.")


def cost(data: Data, request: Request) -> float:
    """What a call costs."""
    settings = data.settings
    if request.method != "GET":
        return settings.cost_write
    last = request.segments[-1] if request.segments else ""
    return settings.cost_get if last.isdigit() or last in {"count", "self", "setup"} else settings.cost_list


def charge(data: Data, grant: Grant, request: Request) -> dict[str, str]:
    """Takes the cost from the bucket and gives the headers that say so; raises 429 when there is not enough left."""
    settings, now, price = data.settings, data.clock(), cost(data, request)
    bucket = data.buckets.setdefault((grant.app, grant.agreement), Bucket(0.0, now))
    if settings.bucket_refill == "steady":
        bucket.used = max(0.0, bucket.used - (now - bucket.at) * settings.bucket_limit / settings.bucket_window)
        bucket.at = now
    elif now - bucket.at >= settings.bucket_window:
        bucket.used, bucket.at = 0.0, now
    missing = bucket.used + price - settings.bucket_limit
    if missing > 0:
        wait = settings.bucket_window - (now - bucket.at)
        if settings.bucket_refill == "steady":
            wait = missing * settings.bucket_window / settings.bucket_limit
        refused = Refused(429, "TooManyRequests", "You are over your quota. Wait a bit; see the response headers.")
        refused.headers = {**limits(data, price, bucket.used), "Retry-After": str(max(1, math.ceil(wait)))}
        raise refused
    bucket.used += price
    return limits(data, price, bucket.used)


def limits(data: Data, price: float, used: float) -> dict[str, str]:
    """The two headers of the token bucket."""
    settings = data.settings
    limit, window = f"{settings.bucket_limit:g}", f"{settings.bucket_window:g}"
    return {
        "X-CallCost": settings.cost_text or f"{price:g}",
        "X-RateLimiting": f"token-limit-{limit}-per-{window}-seconds: {math.ceil(used)}/{limit}",
    }


def kept(data: Data, grant: Grant, request: Request) -> Answer | None:
    """The answer kept under the call's idempotency key, if there is one; raises 400 for another body when so set."""
    found = data.kept.get(_place(grant, request)) if _keyed(request) else None
    if found is None or data.clock() - found.at > data.settings.idempotency_seconds:
        return None
    if found.request != _fingerprint(request):
        if data.settings.idempotency_mismatch == "refuse":
            raise Refused(400, "IdempotencyKeyReused", "The key was used for another request.")
        if data.settings.idempotency_mismatch == "run":
            return None
    again = found.answer.copy()
    again.headers["X-ResultFromCache"] = "true"
    return again


def keep(data: Data, grant: Grant, request: Request, given: Answer) -> None:
    """Keeps an answer under the call's idempotency key, an hour by default."""
    if not _keyed(request) or (given.status >= 300 and not data.settings.idempotency_errors):
        return
    if len(data.kept) > 50_000:
        data.kept.clear()
    data.kept[_place(grant, request)] = Kept(data.clock(), _fingerprint(request), given.copy())


def _keyed(request: Request) -> bool:
    return request.method != "GET" and bool(request.headers.get("idempotency-key"))


def _place(grant: Grant, request: Request) -> tuple[str, int, str]:
    return grant.app, grant.agreement, request.headers["idempotency-key"]


def _fingerprint(request: Request) -> bytes:
    return hashlib.sha256(f"{request.method} {request.path.lower()}\n".encode() + request.body).digest()
