"""Why does e-conomic refuse us? Read off the code it gives; part of the contract."""

import re
from typing import Literal

Refusal = Literal["revoked", "api_missing", "role_small", "closed", "other_agreement"]


def refusal(code: str) -> Refusal:
    """Why e-conomic refuses us, of the code with which access was lost; a code that says nothing more is a grant taken back."""
    if "MissingModule" in code:
        return "api_missing"
    if re.search(r"agreement.*(closed|terminated|inactive)", code, re.IGNORECASE):
        return "closed"
    if code in {"", "access_lost"}:
        return "revoked"
    return "other_agreement" if code == "other_agreement" else "role_small"
