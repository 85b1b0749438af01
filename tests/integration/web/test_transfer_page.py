"""An admin transfers all customers from e-conomic at the page, and takes it back; the pass that stopped is let go or stopped."""

import re

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Stage
from reconciler import clock, running, runs
from tests.builders.sync import AGREEMENT, TENANT
from tests.integration.web.browsing import Pages
from tests.integration.web.companies import Admin, company


@pytest.fixture
def admin(pages: Pages) -> Admin:
    made = Admin(pages, company(pages))
    made.switch_on()
    with pages.engine.begin() as connection:  # what switching on reads afterwards has been read
        connection.execute(sa.text("update sync.run set state = 'done', ended = started where ended is null"))
    return made


def looked(admin: Admin) -> None:
    wire = admin.company.wire
    while clock.make_links(wire.engine) + clock.tell_again(wire.engine, wire.clocked):
        pass
    clock.follow_runs(wire.engine, wire.clocked)


def test_off_it_says_what_comes_first(pages: Pages) -> None:
    admin = Admin(pages, company(pages))
    shown = admin.text("/transfer")
    assert "Slå først integrationen til." in shown
    assert '<form method="post" action="' not in shown.partition("<main>")[2]
    assert admin.press("/transfer") == "/transfer?why=off"


def test_shown_confirmed_carried_out_reported_and_taken_back(admin: Admin) -> None:
    shown = admin.previewed("/transfer")
    assert "1 kunde oprettes i Clickmate" in shown
    assert "1 kunde springes over" in shown
    assert "Overfør: 1 oprettes i Clickmate" in shown
    admin.confirm(shown)
    admin.turn()
    shown = admin.text("/transfer")
    assert "0 af 1 kunder" in shown
    assert "Sæt på pause" in shown
    admin.carry_out()
    shown = admin.text("/transfer")
    assert "1 oprettet, 0 tilknyttet, 1 sprunget over" in shown
    (epsilon,) = [one for one in admin.company.crm.values() if one.name == "Epsilon"]
    assert (epsilon.stage, [one.name for one in epsilon.contacts]) == (Stage.ACTIVE, ["Anne Holm"])
    run = admin.newest("transfer")
    skipped = admin.text(f"/runs/{run.id}/list?of=skipped")
    assert "Beta Tømrer" in skipped
    assert "Samme navn og postnr." in skipped
    assert "Epsilon" in admin.browser.get(f"/runs/{run.id}/list.csv?of=done").text
    foreseen = admin.text(f"/runs/{run.id}/undo")
    assert "1 kunde, der blev oprettet i Clickmate, gøres inaktiv" in foreseen
    undo = admin.press(f"/runs/{run.id}/undo")
    admin.carry_out()
    assert "Færdig" in admin.text(undo)
    (epsilon,) = [one for one in admin.company.crm.values() if one.name == "Epsilon"]
    assert epsilon.stage is Stage.INACTIVE


def test_what_is_chosen_is_in_the_list_and_stays_chosen(admin: Admin) -> None:
    shown = admin.previewed("/transfer", without_barred="yes", differing="economic", group="name_postcode")
    assert 'name="without_barred" value="yes" checked' in shown
    assert 'value="economic" checked' in shown
    assert 'value="name_postcode" checked' in shown
    assert "1 kunde tilknyttes" in shown


def test_what_is_changed_beside_the_button_is_counted_before_it_is_carried_out(admin: Admin) -> None:
    shown = admin.previewed("/transfer")
    first = admin.newest("transfer")
    assert admin.confirm(shown, group="name_postcode") == "/transfer"
    assert admin.run(first.id).confirmed is None
    admin.turn()
    anew = admin.text("/transfer")
    assert ("1 kunde tilknyttes" in shown, "1 kunde tilknyttes" in anew) == (False, True)
    assert admin.newest("transfer").id != first.id
    assert admin.confirm(anew) == "/transfer"
    assert admin.newest("transfer").confirmed is not None
    assert admin.confirm(anew) == "/transfer"  # sent twice is once
    admin.turn()
    admin.carry_out()
    assert "1 oprettet, 1 tilknyttet" in admin.text("/transfer")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"to": "elsewhere"}, 400),
        ({"to": "carry-out", "count.created": "many"}, 400),
        ({"to": "carry-out", "run": "none"}, 404),
        ({"to": "carry-out", "run": "0a4e6a52-8f3c-4c0e-9a43-3a1f5f2f1d11"}, 404),
    ],
)
def test_what_no_page_of_ours_sends_carries_nothing_out(admin: Admin, sent: dict[str, str], code: int) -> None:
    admin.previewed("/transfer")
    assert admin.browser.post("/transfer", {"form_token": admin.browser.token(), **sent}).status_code == code
    assert admin.newest("transfer").state == "previewed"


def test_it_is_paused_goes_on_and_is_stopped_and_a_reload_shows_where_it_is(admin: Admin) -> None:
    admin.confirm(admin.previewed("/transfer"))
    admin.turn()
    run = admin.newest("transfer")
    admin.press(f"/runs/{run.id}/steer", action="pause", back="/transfer")
    wire = admin.company.wire
    assert running.carry_out(wire.engine, wire.clocked) == 0
    for _ in range(2):
        shown = admin.text("/transfer")
        assert "Genoptag" in shown
        assert "0 af 1 kunder" in shown
    assert "Noget andet er ved at blive udført." in admin.text(admin.press("/transfer"))
    admin.press(f"/runs/{run.id}/steer", action="resume", back="/transfer")
    admin.press(f"/runs/{run.id}/steer", action="stop", back="/transfer")
    assert "Stoppet. Det, der er udført, bliver stående." in admin.text("/transfer")
    assert admin.press(f"/runs/{run.id}/steer", action="stop") == f"/runs/{run.id}?why=over"


def braked(admin: Admin) -> runs.Run:
    """Two customers that were edited while nothing might be written, and a limit of one."""
    with admin.pages.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set brake_customers = 1, brake_percent = 100"))
        connection.execute(sa.text("""update sync.agreement set paused = '["crm", "economic"]'"""))
    for crm_id in ("alike", "spelled"):
        admin.company.here(admin.company.crm[crm_id].model_copy(update={"website": "new.example"}))
    with admin.pages.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set paused = '[]'"))
        connection.execute(sa.text("update sync.link set look_again = true"))
    looked(admin)
    admin.company.work()
    with admin.pages.engine.connect() as connection:
        found = runs.latest(connection, TENANT, AGREEMENT, ["pass"])
    assert found is not None
    assert found.state == "braked"
    return found


def websites(admin: Admin) -> int:
    return sum(bool(one.website) for one in admin.company.economic.values())


def question(admin: Admin, run: runs.Run) -> str:
    """The page that the run's page leads to."""
    found = re.search(r'href="[^"]*(/tasks/[0-9a-f-]{36})"', admin.text(f"/runs/{run.id}"))
    assert found is not None
    return found.group(1)


def answer(admin: Admin, path: str, shown: str, said: str) -> str:
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', shown)
    assert seen is not None
    return admin.press(f"{path}/brake", answer=said, seen=seen.group(1))


def test_exactly_the_list_that_was_shown_goes(admin: Admin) -> None:
    run = braked(admin)
    assert "Vi stoppede: 2 kunder ville blive rettet, du har godkendt 1. Se listen." in admin.text(f"/runs/{run.id}")
    asked = question(admin, run)
    shown = admin.text(asked)
    assert "Godkend netop disse (1)" in shown
    assert "new.example" in shown
    assert websites(admin) == 1
    assert "new.example" in admin.text(f"/runs/{run.id}/list?of=planned")
    answer(admin, asked, shown, "release")
    admin.company.work()
    assert websites(admin) == 2
    assert "Færdig" in admin.text(f"/runs/{run.id}")


def test_a_list_that_moved_since_is_shown_anew(admin: Admin) -> None:
    run = braked(admin)
    asked = question(admin, run)
    shown = admin.text(asked)
    with admin.pages.engine.begin() as connection:
        connection.execute(sa.text("update sync.run_item set writes = '[]' where state = 'planned'"))
    there = answer(admin, asked, shown, "release")
    assert "Noget er rettet, siden listen blev lavet. Se den nye liste." in admin.text(there)
    admin.company.work()
    assert websites(admin) == 1


def test_stopped_it_writes_to_none_of_them(admin: Admin) -> None:
    run = braked(admin)
    asked = question(admin, run)
    shown = admin.text(asked)
    assert "Stop skriver ikke til nogen af dem." in shown
    answer(admin, asked, shown, "stop")
    admin.company.work()
    assert websites(admin) == 1
    assert "Stoppet." in admin.text(f"/runs/{run.id}")
