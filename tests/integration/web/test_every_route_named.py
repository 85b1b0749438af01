"""Is every address known? Each is named in ``routes`` with its right, what a page can a service can, and each is described."""

from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from reconciler.web import app, letter
from tests.integration.web import routes
from tests.integration.web.browsing import Pages

pytestmark = pytest.mark.slow


def test_every_address_is_named_with_its_right(pages: Pages) -> None:
    assert set(app.PAGES) == set(routes.PAGES), "name the new page in tests/integration/web/routes.py"
    assert set(app.FRAMED) == set(routes.FRAMED), "name the new page in tests/integration/web/routes.py"
    assert set(letter.PAGES) == set(routes.BEARERS), "name the new page in tests/integration/web/routes.py"
    described = pages.browser().get("/api/v1/openapi.json").json()["paths"]
    asked = {
        (method.upper(), path): one.get("x-right", "see")
        for path, methods in described.items()
        for method, one in methods.items()
    }
    assert asked == routes.SERVICES, (
        "name the new address in tests/integration/web/routes.py, and in the code its right"
    )


def test_a_service_can_do_whatever_a_page_can() -> None:
    """By an operation that asks for the same right."""
    pages = {**routes.PAGES, **routes.FRAMED, **routes.BEARERS}
    forms = {route: right for route, right in pages.items() if route[0] == "POST"}
    assert set(forms) == set(routes.COUNTERPARTS), "name what a service sends for it in tests/integration/web/routes.py"
    for route, right in forms.items():
        assert routes.SERVICES.get(routes.COUNTERPARTS[route]) == right, route


def test_every_operation_is_described_with_an_example_and_every_error(pages: Pages) -> None:
    described = pages.browser().get("/api/v1/openapi.json").json()
    for (method, path), right in routes.SERVICES.items():
        one = described["paths"][path][method.lower()]
        answers = one["responses"]
        errors = {"401", "422", "429", "500", "503"} | ({"404"} if "{" in path and path != routes.STATUS else set())
        assert errors | ({"403"} if right != "see" else set()) <= set(answers), (method, path)
        for status, answer in answers.items():
            if status != "304":
                (content,) = answer["content"].values()
                holds(described, content, (method, path, status))
        if "requestBody" in one:
            holds(described, one["requestBody"]["content"]["application/json"], (method, path, "body"))


def holds(described: dict[str, Any], content: dict[str, Any], what: object) -> None:
    """There is an example, and it is what the schema says."""
    assert "example" in content, what
    schema = {**content["schema"], "components": described["components"]}
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(content["example"])
