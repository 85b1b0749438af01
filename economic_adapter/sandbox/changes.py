"""How does a record change? The only ways, taken by the API and by people alike, so each moves version, time and hook."""

from economic_adapter.sandbox.data import Agreement, Contact, Customer, Data
from economic_adapter.sandbox.fields import Json

CUSTOMER_UPDATED = "CUSTOMER_UPDATED"


def create_customer(data: Data, agreement: Agreement, number: int, values: Json) -> Customer:
    """A new customer under a free number."""
    customer = Customer(number=number, values=values, version=data.version(), updated=data.now())
    agreement.customers[number] = customer
    agreement.contacts_of[number] = {}
    data.fire(agreement, CUSTOMER_UPDATED, None, number)
    return customer


def replace_customer(data: Data, agreement: Agreement, customer: Customer, values: Json) -> None:
    """All values anew."""
    customer.values = values
    _moved(data, customer)
    data.fire(agreement, CUSTOMER_UPDATED, customer.number, customer.number)


def renumber_customer(data: Data, agreement: Agreement, customer: Customer, number: int) -> None:
    """The customer and its contact persons under another free number."""
    old = customer.number
    agreement.customers[number] = agreement.customers.pop(old)
    agreement.contacts_of[number] = agreement.contacts_of.pop(old)
    customer.number = number
    _moved(data, customer)
    for contact in agreement.contacts_of[number].values():
        contact.customer = number
        _moved(data, contact)
    data.fire(agreement, CUSTOMER_UPDATED, old, number)


def delete_customer(data: Data, agreement: Agreement, customer: Customer) -> None:
    """The customer and its contact persons gone; the number is free again."""
    del agreement.customers[customer.number]
    for number in agreement.contacts_of.pop(customer.number):
        del agreement.contacts[number]
    data.fire(agreement, CUSTOMER_UPDATED, customer.number, None)


def create_contact(data: Data, agreement: Agreement, customer: int, values: Json) -> Contact:
    """A new contact person; its number is never used twice."""
    agreement.last_contact += 1
    others = agreement.contacts_of[customer]
    contact = Contact(
        number=agreement.last_contact,
        customer=customer,
        shown_number=max((other.shown_number for other in others.values()), default=0) + 1,
        values=values,
        version=data.version(),
        updated=data.now(),
    )
    agreement.contacts[contact.number] = others[contact.number] = contact
    _contact_changed(data, agreement, contact)
    return contact


def replace_contact(data: Data, agreement: Agreement, contact: Contact, values: Json) -> None:
    """All values anew."""
    contact.values = values
    _moved(data, contact)
    _contact_changed(data, agreement, contact)


def delete_contact(data: Data, agreement: Agreement, contact: Contact) -> None:
    """Marked as deleted; it stays readable."""
    contact.deleted = True
    _moved(data, contact)
    _contact_changed(data, agreement, contact)


def _moved(data: Data, record: Customer | Contact) -> None:
    record.version = data.version()
    record.updated = data.now()


def _contact_changed(data: Data, agreement: Agreement, contact: Contact) -> None:
    if data.settings.contact_bumps_customer:
        _moved(data, agreement.customers[contact.customer])
    if data.settings.contact_hooks:
        data.fire(agreement, CUSTOMER_UPDATED, contact.customer, contact.customer)
