"""What do people see on the tour? A question that is settled on its page, and the statuses as they are told."""

import time

from deploy.local.demo.hands import TENANT, StepFailed, Tour

ADAPTER = ("adapter", "worker")


def disagree(tour: Tour) -> str:
    """Both systems change the same name differently; three other details flow, one question is settled on its page."""
    name = tour.keyed[-1]
    number, customer = tour.numbers()[name], tour.ids[name]
    here, there = f"{name} & Søn", f"{name} og Søn"
    for one in ADAPTER:
        tour.processes.kill(one)
    phone, street, website = tour.a_phone(), f"Søndergade {tour.rng.randint(1, 99)}", f"www.ny-{number}.example"
    tour.edit_crm(name, phone=phone)
    tour.edit_crm(name, name=here)
    tour.edit_economic(name, number, name=there, street=street, website=website)
    for one in ADAPTER:
        tour.processes.start_group(one)
    tour.rename(name, here)
    tour.wait("the three other details", lambda: _flowed(tour, here, there, phone, street, website), within=40)
    tour.wait("the question", lambda: tour.standing(here, "choice"), within=20)
    with tour.visitor("anne") as anne:
        page = anne.look(f"/customers/{customer}")
        form = page.form(f"/customers/{customer}")
        if list(form.choices.values()) != [["crm", "economic", "text", "different"]]:
            raise StepFailed(f"one question was expected, the page asks {sorted(form.choices)}")
        begun = time.monotonic()
        anne.press(form, **dict.fromkeys(form.choices, "crm"))
    tour.wait("both names", lambda: None if here in tour.economic() and here in tour.crm() else "not yet", within=20)
    took = time.monotonic() - begun
    return (
        f'adapter killed. C name "{here}" / E name "{there}", and 3 other details\n'
        f"adapter back. 3 details flowed. 1 question: name   {tour.environ['WEB_PUBLIC_URL']}/customers/{customer}\n"
        f"chosen: Clickmate's  →  E written, C confirmed, one step {took:.1f} s"
    )


def statuses(tour: Tour) -> str:
    """Four customers stand in four ways, and each is told so."""
    same, differs = tour.keyed[0], tour.keyed[-2]
    absent = next(one for one in tour.entered.crm_only if tour.standing(one, "not_there") is None)
    expected = {
        "not_set_up": ("nobody", same), "not_there": (TENANT, absent), "same": (TENANT, same),
        "different": (TENANT, differs),
    }  # fmt: skip
    keys = {tenant: _key(tour, tenant) for tenant in ("nobody", TENANT)}
    before = dict(tour.entered.customers[differs])
    with tour.visitor("anne") as anne:
        page = f"/customers/{tour.ids[differs]}"
        anne.press(anne.look(page).form("/still"))
        tour.edit_crm(differs, phone=tour.a_phone(), website="www.forskellig.example")
        tour.wait("the two differences", lambda: tour.standing(differs, "different"), within=20)
        found = {state: anne.status(tour.ids[name], keys[tenant]) for state, (tenant, name) in expected.items()}
        tour.edit_crm(differs, **{one: before.get(one, "") for one in ("phone", "website")})
        tour.wait("the same again", lambda: tour.standing(differs, "same"), within=20)
        anne.press(anne.look(f"{page}/flow").form("/flow"))
    told = {state: one["state"] for state, one in found.items()}
    if told != {state: state for state in expected}:
        raise StepFailed(f"they stand as {told}")
    details = found["different"]["differs"]
    if not isinstance(details, list) or len(details) != 2:
        raise StepFailed(f"two details were to differ, {details} do")
    return "not set up · not in e-conomic · the same · 2 details differ     4 of 4 as expected"


def _flowed(tour: Tour, here: str, there: str, phone: str, street: str, website: str) -> str | None:
    crm, economic = tour.crm().get(here), tour.economic().get(there)
    if crm is None or economic is None:
        return "one of the two names is not there any more"
    stands = (economic.details["phone"], crm.details["street"], crm.details["website"])
    return None if stands == (phone, street, website) else f"they are {stands}"


def _key(tour: Tour, tenant: str) -> str:
    said = tour.command("reconciler", ["make-api-key", "--tenant", tenant, "--name", "tour", "--yes"], "")
    return said.splitlines()[-1]
