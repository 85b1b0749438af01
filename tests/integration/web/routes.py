"""Every address of the pages and the JSON, and the right it asks for: what is not named here fails a test until it is."""

from collections.abc import Mapping
from typing import Final

from reconciler.person import Right

Route = tuple[str, str]

PAGES: Final[Mapping[Route, Right]] = {
    ("GET", "/"): "see",
    ("GET", "/customers"): "see",
    ("GET", "/customers.csv"): "see",
    ("GET", "/customers/{crm_id}"): "see",
    ("GET", "/customers/{crm_id}/create"): "create",
    ("GET", "/customers/{crm_id}/flow"): "settle",
    ("GET", "/customers/{crm_id}/unlink"): "settle",
    ("GET", "/customers/{crm_id}/update"): "settle",
    ("GET", "/set-up/mail"): "administer",
    ("POST", "/customers/{crm_id}"): "settle",
    ("POST", "/customers/{crm_id}/create"): "create",
    ("POST", "/customers/{crm_id}/flow"): "settle",
    ("POST", "/customers/{crm_id}/leave"): "settle",
    ("POST", "/customers/{crm_id}/retry"): "settle",
    ("POST", "/customers/{crm_id}/still"): "settle",
    ("POST", "/customers/{crm_id}/unlink"): "settle",
    ("POST", "/customers/{crm_id}/update"): "settle",
    ("POST", "/decisions/{decision}/undo"): "settle",
    ("POST", "/set-up/mail"): "administer",
    ("GET", "/runs/{run}"): "administer",
    ("GET", "/runs/{run}/list"): "administer",
    ("GET", "/runs/{run}/list.csv"): "administer",
    ("GET", "/runs/{run}/undo"): "administer",
    ("GET", "/set-up/pilot"): "administer",
    ("GET", "/set-up/preview"): "administer",
    ("GET", "/set-up/switch-on"): "administer",
    ("GET", "/transfer"): "administer",
    ("POST", "/runs/{run}/brake"): "administer",
    ("POST", "/runs/{run}/confirm"): "administer",
    ("POST", "/runs/{run}/steer"): "administer",
    ("POST", "/runs/{run}/undo"): "administer",
    ("POST", "/set-up/pilot"): "administer",
    ("POST", "/set-up/pilot/end"): "administer",
    ("POST", "/set-up/pilot/skip"): "administer",
    ("POST", "/set-up/preview"): "administer",
    ("POST", "/transfer"): "administer",
}
"""Of somebody who is signed in."""
FRAMED: Final[Mapping[Route, Right]] = {
    ("GET", "/widget"): "see",
    ("GET", "/widget/create"): "create",
    ("GET", "/widget/flow"): "settle",
    ("GET", "/widget/unlink"): "settle",
    ("GET", "/widget/update"): "settle",
    ("POST", "/widget/create"): "create",
    ("POST", "/widget/flow"): "settle",
    ("POST", "/widget/leave"): "settle",
    ("POST", "/widget/retry"): "settle",
    ("POST", "/widget/still"): "settle",
    ("POST", "/widget/unlink"): "settle",
    ("POST", "/widget/update"): "settle",
}
"""Of whom a pass names."""
SERVICES: Final[Mapping[Route, Right]] = {
    ("GET", "/api/v1/customers"): "see",
    ("GET", "/api/v1/customers/{crm_id}/status"): "see",
    ("GET", "/api/v1/set-up/mail"): "administer",
    ("PATCH", "/api/v1/set-up/mail"): "administer",
    ("GET", "/api/v1/runs"): "administer",
    ("POST", "/api/v1/runs"): "administer",
    ("GET", "/api/v1/runs/{run}"): "administer",
    ("GET", "/api/v1/runs/{run}/list"): "administer",
    ("POST", "/api/v1/runs/{run}/confirm"): "administer",
    ("POST", "/api/v1/runs/{run}/steer"): "administer",
    ("POST", "/api/v1/runs/{run}/brake"): "administer",
    ("GET", "/api/v1/runs/{run}/undo"): "administer",
    ("POST", "/api/v1/runs/{run}/undo"): "administer",
    ("GET", "/api/v1/trial"): "administer",
    ("POST", "/api/v1/trial/end"): "administer",
    ("POST", "/api/v1/trial/skip"): "administer",
}
"""Of an API key."""
