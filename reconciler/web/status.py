"""How does a customer stand, for whoever asks? The one answer behind the widget, the customer's page and the JSON."""

from dataclasses import dataclass

from reconciler import people, views
from reconciler.freshness import Layer, Reach, layer
from reconciler.person import Person
from reconciler.standing import Standing, standing, unknown
from reconciler.views import Customer
from reconciler.web.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Both layers of a status, and who may help where a right is lacking."""

    found: Customer
    first: Standing
    second: Layer
    admins: tuple[str, ...]

    @property
    def number(self) -> int | None:
        """The customer number in e-conomic, if it is linked."""
        return None if self.found.stored is None else self.found.stored.link.number


def of(site: Site, person: Person, crm_id: str, version: str | None, *, ours: bool = False) -> Told:
    """How that customer of that person's tenant stands, on a page that shows that version of it.

    ``ours``: the page shows the version that was compared, whatever it is.
    """
    now = site.now()
    with site.engine.connect() as connection:
        found = views.customer(connection, person.tenant, crm_id)
        kept, admins = people.kept(connection, person.tenant), people.admins(connection, person.tenant)
    shown = found.known.compared if ours else views.parsed(version)
    if found.stored is None:
        first = unknown(found.without_link, person, kept)
    else:
        link = found.stored.link
        first = standing(link, found.stored.agreement.rules_for(link, site.resend), person, kept, now, shown)
    return Told(found=found, first=first, second=layer(found.known, None, Reach(), shown, now), admins=tuple(admins))
