"""What a document remembers of the world, so that it reads the same in ten years."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from evcharge.accounts.models import Guest, Operator, User
from evcharge.billing.models import Bill
from evcharge.invoices.models import TaxDocument
from evcharge.invoices.queries import payments_of
from evcharge.invoices.rules import About
from evcharge.payments.models import Payment
from evcharge.stations.models import Location
from evcharge.taxes.models import TaxRegistration
from evcharge.taxes.queries import tax_customer
from evcharge.taxes.rules import SAC, Taxed
from evcharge.taxes.rules.gstin import state_of
from evcharge.taxes.rules.states import state_code, state_name, with_code

GUEST = "Guest"


def supplier(
    session: Session, registration_id: int | None, location_id: int
) -> dict[str, Any]:
    """One who is not registered is named as drivers know them, at the location."""
    location = session.get_one(Location, location_id)
    operator = session.get_one(Operator, location.operator_id)
    known: dict[str, Any] = {
        "trade_name": operator.name,
        "phone": operator.support_phone,
    }
    if registration_id is None:
        return known | {
            "name": operator.name,
            "address": address_of(location),
            "gstin": None,
            "state": with_code(location.state),
        }
    registration = session.get_one(TaxRegistration, registration_id)
    return known | {
        "name": registration.legal_name,
        "address": registration.address,
        "gstin": registration.gstin,
        "state": with_code(registration.state),
    }


def customer(session: Session, about: About) -> dict[str, Any]:
    if about.guest_id is not None:
        guest = session.get_one(Guest, about.guest_id)
        return _person(GUEST, guest.email)
    user = session.get_one(User, about.user_id)
    person = _person(user.name, user.email)
    business = tax_customer(session, user.id)
    if business is None:
        return person
    return person | {
        "business": business.legal_name,
        "gstin": business.gstin,
        "address": business.address,
        "state": with_code(state_of(business.gstin)),
    }


def _person(name: str, email: str | None) -> dict[str, Any]:
    return {
        "name": name,
        "email": email,
        "business": None,
        "gstin": None,
        "address": None,
        "state": None,
    }


def place(
    session: Session, about: About, place_of_supply: str, percent: int
) -> dict[str, Any]:
    """What every document says about where, and as what, it was supplied."""
    location = session.get_one(Location, about.location_id)
    return {
        "sac": SAC,
        "percent": percent,
        "place_of_supply": with_code(place_of_supply),
        "place_code": state_code(place_of_supply),
        "location": location.name,
        "location_address": address_of(location),
        "zone": location.timezone,
    }


def address_of(location: Location) -> str:
    parts = (location.address, location.city, state_name(location.state))
    return f"{', '.join(part for part in parts if part)} {location.pincode}".strip()


def about_bill(
    session: Session, bill: Bill, receipts: Iterable[TaxDocument]
) -> dict[str, Any]:
    paid = payments_of(session, bill.kind, bill.item_id)
    return {
        "title": bill.title,
        "reference": bill.reference,
        "starts_at": bill.starts_at.isoformat(),
        "ends_at": bill.ends_at.isoformat(),
        "energy_wh": bill.energy_wh,
        "lines": bill.lines,
        "includes_tax": bill.includes_tax,
        "payments": [paid_by(each, item.amount_paise) for each, item in paid],
        "receipts": [named(each) for each in receipts],
        "paid_paise": bill.total_paise - bill.due_paise,
        "due_paise": bill.due_paise,
    }


def paid_by(payment: Payment, amount_paise: int) -> dict[str, Any]:
    return {
        "method": payment.method,
        "bank_reference": payment.bank_reference,
        "provider_ref": payment.provider_ref,
        "paid_at": _text(payment.paid_at),
        "amount_paise": amount_paise,
    }


def named(document: TaxDocument) -> dict[str, Any]:
    """How another document refers to this one."""
    return {
        "kind": document.kind.value,
        "number": document.number,
        "issued_on": document.issued_on.isoformat(),
        "amount_paise": document.total_paise,
    }


def one_line(text: str, taxed: Taxed) -> list[dict[str, Any]]:
    """The line of a voucher or credit note, without tax."""
    return [
        {
            "text": text,
            "part": "charging",
            "quantity": "1",
            "unit": "",
            "unit_price_paise": str(taxed.net_paise),
            "amount_paise": taxed.net_paise,
        }
    ]


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
