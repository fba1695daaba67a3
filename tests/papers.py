"""Registrations, bills and payments for tests of tax documents."""

from typing import Any

from sqlalchemy.orm import Session

from evcharge.billing.models import Bill
from evcharge.kernel.ids import new_id
from evcharge.payments.models import Checkout, CheckoutItem, Payment
from evcharge.payments.rules import ItemKind, PaymentStatus
from evcharge.stations.models import Evse, Location
from evcharge.taxes.models import TaxCustomer, TaxRegistration
from make import HOUR, NOON

KARNATAKA = "29AAGCB7383J1Z4"
MAHARASHTRA = "27AAPFU0939F1ZV"


def a_registration(
    session: Session, location: Location, **columns: Any
) -> TaxRegistration:
    defaults = {
        "operator_id": location.operator_id,
        "gstin": KARNATAKA,
        "state": "Karnataka",
        "legal_name": "Test Power Private Limited",
        "address": "4 Residency Road, Bengaluru 560025",
        "created_at": NOON - 24 * HOUR,
    }
    registration = TaxRegistration(**(defaults | columns))
    session.add(registration)
    session.flush()
    return registration


def a_business(session: Session, user_id: int, **columns: Any) -> TaxCustomer:
    defaults = {
        "user_id": user_id,
        "legal_name": "Rao and Sons",
        "gstin": MAHARASHTRA,
        "address": "7 Fort, Mumbai 400001",
        "updated_at": NOON,
    }
    business = TaxCustomer(**(defaults | columns))
    session.add(business)
    session.flush()
    return business


def a_bill(session: Session, evse: Evse, **columns: Any) -> Bill:
    """₹100 of charging, with ₹18 of tax within the state."""
    location = session.get_one(Location, evse.charger.location_id)
    defaults = {
        "id": new_id(),
        "kind": ItemKind.BOOKING,
        "item_id": new_id(),
        "reference": "EV-7K3M9Q",
        "operator_id": location.operator_id,
        "location_id": location.id,
        "evse_id": evse.id,
        "title": "Charging at MG Road",
        "starts_at": NOON,
        "ends_at": NOON + HOUR,
        "energy_wh": 10_000,
        "lines": [
            {
                "text": "Energy",
                "part": "electricity",
                "quantity": "10",
                "unit": "kWh",
                "unit_price_paise": "1000",
                "amount_paise": 10_000,
            }
        ],
        "includes_tax": False,
        "tax_percent": 18,
        "place_of_supply": "Karnataka",
        "net_paise": 10_000,
        "cgst_paise": 900,
        "sgst_paise": 900,
        "igst_paise": 0,
        "rounding_paise": 0,
        "total_paise": 11_800,
        "fee_paise": 0,
        "host_paise": 0,
        "paid_paise": 11_800,
        "due_paise": 0,
        "created_at": NOON,
    }
    bill = Bill(**(defaults | columns))
    session.add(bill)
    session.flush()
    return bill


def a_payment(
    session: Session, location: Location, *, user_id: int, **columns: Any
) -> tuple[Payment, CheckoutItem]:
    """₹118 by UPI, for a booking."""
    amount = columns.pop("amount_paise", 11_800)
    checkout = Checkout(
        id=new_id(),
        user_id=user_id,
        amount_paise=amount,
        description="Booking EV-7K3M9Q at MG Road",
        return_path="/bookings",
        expires_at=NOON + HOUR,
        created_at=NOON,
    )
    item = CheckoutItem(
        kind=columns.pop("kind", ItemKind.BOOKING),
        item_id=columns.pop("item_id", None) or new_id(),
        amount_paise=amount,
        location_id=location.id,
    )
    checkout.items.append(item)
    defaults = {
        "id": new_id(),
        "checkout": checkout,
        "provider": "simulated",
        "provider_ref": f"pay_{checkout.id.hex}",
        "status": PaymentStatus.PAID,
        "amount_paise": amount,
        "method": "upi",
        "bank_reference": "432198765432",
        "created_at": NOON,
        "paid_at": NOON,
    }
    payment = Payment(**(defaults | columns))
    session.add_all([checkout, payment])
    session.flush()
    return payment, item
