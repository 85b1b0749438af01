"""An admin tries with one customer before all: found, shown, followed edit by edit, kept or put back; everything else stays off."""

from economic_adapter.contract import ConfigureAgreement
from reconciler import agreements, running
from tests.builders.sync import TENANT
from tests.integration.web.companies import Admin


def tried(admin: Admin, **chosen: str) -> None:
    shown = admin.previewed("/set-up/pilot", customer="alike", **chosen)
    assert "Prøv: 1 tilknyttes, 1 oplysning udfyldes, 0 oprettes i e-conomic" in shown
    admin.confirm(shown)
    admin.turn()
    assert "e-conomics side er ved at blive åbnet" in admin.text("/set-up/pilot")
    admin.company.wire.switch(customers=4)
    for _ in range(2):
        running.carry_out(admin.company.wire.engine, admin.company.wire.clocked)
    admin.company.work()


def test_a_customer_is_found_by_name_number_or_id(admin: Admin) -> None:
    for text in ("alfa", "13748136", "alike"):
        shown = admin.text(f"/set-up/pilot?q={text}")
        assert "Alfa ApS" in shown
        assert 'name="customer" value="alike"' in shown
    for text in ("100%", "_", "nobody"):
        assert "Ingen blev fundet." in admin.text(f"/set-up/pilot?q={text}")


def test_each_edit_is_shown_arriving_with_its_times_and_the_trial_is_kept(admin: Admin) -> None:
    tried(admin)
    shown = admin.text("/set-up/pilot")
    assert "Ret noget i Clickmate" in shown
    assert "Ret noget i e-conomic" in shown
    wire = admin.company.wire
    admin.company.here(admin.company.crm["alike"].model_copy(update={"website": "alfa.example"}))
    assert "Clickmate → e-conomic: Hjemmeside" in admin.text("/set-up/pilot")
    assert "ikke fremme endnu" in admin.text("/set-up/pilot")
    wire.later(seconds=2)
    admin.company.work()
    assert "ikke fremme endnu" not in admin.text("/set-up/pilot")
    admin.company.there(admin.company.economic[1].model_copy(update={"email": "a@alfa.example", "object_version": "z"}))
    admin.company.work()
    shown = admin.text("/set-up/pilot")
    assert "e-conomic → Clickmate: E-mail" in shown
    assert shown.count("fremme kl.") >= 3
    assert "Prøv med denne" not in admin.text("/set-up/pilot?q=zeta"), "one at a time"
    assert admin.press("/set-up/pilot/end", answer="keep") == "/set-up/pilot"
    assert "Prøven med Alfa ApS er slut." in admin.text("/set-up/pilot")
    assert [one.on for one in wire.said_only(ConfigureAgreement)] == [False]
    assert admin.press("/set-up/pilot/end", answer="keep") == "/set-up/pilot?why=over"
    assert admin.company.economic[1].website == "alfa.example"


def test_a_trial_is_put_back(admin: Admin) -> None:
    tried(admin)
    undo = admin.press("/set-up/pilot/end", answer="undo")
    assert undo.startswith("/runs/")
    admin.carry_out()
    assert admin.company.crm["alike"].phone == ""
    assert "Færdig" in admin.text(undo)


def test_one_without_a_match_is_tried_by_its_number_or_created_after_saying_so(admin: Admin) -> None:
    shown = admin.previewed("/set-up/pilot", customer="only")
    assert "Kunden blev ikke genkendt i e-conomic." in shown
    assert "/confirm" not in shown
    assert "Prøv: 1 tilknyttes" in admin.previewed("/set-up/pilot", customer="only", number="9")
    shown = admin.previewed("/set-up/pilot", customer="only", create_there="yes")
    assert "Prøv: 0 tilknyttes, 0 oplysninger udfyldes, 1 oprettes i e-conomic" in shown
    assert admin.company.wire.said_only(ConfigureAgreement) == []


def test_a_trial_leaves_the_preview_of_all_as_it_was(admin: Admin) -> None:
    admin.previewed()
    whole = admin.newest()
    admin.previewed("/set-up/pilot", customer="alike")
    assert admin.newest().id == whole.id
    assert admin.newest().state == "previewed"


def test_who_does_without_a_trial_goes_on(admin: Admin) -> None:
    assert admin.press("/set-up/pilot/skip") == "/set-up/switch-on"
    with admin.company.wire.engine.connect() as connection:
        known = next(iter(agreements.of_tenant(connection, TENANT)))
    assert known.pilot_skipped is not None
