"""Bills of what was supplied before there were bills: no tax, no papers, same money."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evcharge.billing.models import Bill
from evcharge.billing.rules import BillLine
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingStatus
from evcharge.kernel.money import HOUR
from evcharge.ledger.rules import Entry, EntryKind
from evcharge.payments.rules import ItemKind


@dataclass(frozen=True)
class Site:
    location_id: int
    operator_id: int
    name: str


def old_bill(id_: UUID, booking: Booking, site: Site, *, until: datetime) -> Bill:
    """Return the bill of a booking that is over, for all that was kept of its price."""
    kept = booking.paid_paise
    return Bill(
        id=id_,
        kind=ItemKind.BOOKING,
        item_id=booking.id,
        reference=booking.reference,
        user_id=booking.user_id,
        guest_id=None,
        operator_id=site.operator_id,
        location_id=site.location_id,
        evse_id=booking.evse_id,
        title=f"Charging at {site.name}"[:200],
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        energy_wh=0,
        lines=[_line(booking, kept).as_json()],
        includes_tax=True,
        tax_percent=0,
        registration_id=None,
        place_of_supply="",
        net_paise=kept,
        cgst_paise=0,
        sgst_paise=0,
        igst_paise=0,
        rounding_paise=0,
        total_paise=kept,
        fee_paise=0,
        host_paise=0,
        paid_paise=kept,
        due_paise=0,
        created_at=min(booking.ends_at, until),
    )


def _line(booking: Booking, kept_paise: int) -> BillLine:
    if booking.status == BookingStatus.COMPLETED:
        hours = -(-booking.slot.length // HOUR)
        price = str(booking.price_paise_per_hour)
        return BillLine("Booked slot", "slot", str(hours), "h", price, kept_paise)
    is_cancelled = booking.status == BookingStatus.CANCELLED
    why = "Cancelled late" if is_cancelled else "Slot kept for you, nobody came"
    return BillLine(why, "fee", "1", "", str(kept_paise), kept_paise)


def entries_of_bill(bill: Bill) -> Iterator[Entry]:
    """Yield how a bill without tax, paid in full, is shared."""
    operator = bill.total_paise - bill.fee_paise - bill.host_paise
    shares = {
        EntryKind.SALE: bill.total_paise,
        EntryKind.FEE: bill.fee_paise,
        EntryKind.HOST: bill.host_paise,
        EntryKind.OPERATOR: operator,
    }
    for kind, paise in shares.items():
        yield Entry(
            kind,
            f"{kind}:{bill.id}",
            paise,
            bill.created_at,
            bill.kind,
            bill.item_id,
            bill.location_id,
        )
