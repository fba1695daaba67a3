"""Do bookings, claims and money agree? Worked out again from what they mean.

The questions here share no code with the actions they check: who overlaps whom
comes from the times of bookings, not from their claims.
"""

from collections.abc import Iterator
from math import ceil, floor

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from evcharge.billing.models import Bill
from evcharge.bookings.models import Booking, MaintenanceBlock, SlotClaim
from evcharge.bookings.rules import BookingPayment, BookingStatus
from evcharge.payments.models import CheckoutItem, Payment, Refund
from evcharge.payments.rules import COLLECTED, ItemKind
from evcharge.stations.rules import ClaimedBy

QUARTER_SECONDS = 900


def discrepancies(session: Session) -> list[str]:
    """Return what is wrong, in words; [] if all is well."""
    return [
        *_overlapping_bookings(session),
        *_claims_without_owner(session),
        *_owners_without_claims(session, Booking, SlotClaim.booking_id, _is_active()),
        *_owners_without_claims(
            session,
            MaintenanceBlock,
            SlotClaim.block_id,
            MaintenanceBlock.lifted_at.is_(None),
        ),
        *_unbalanced_bookings(session),
        *_unbalanced_payments(session),
    ]


def _is_active() -> ColumnElement[bool]:
    return Booking.status == BookingStatus.ACTIVE


def _overlapping_bookings(session: Session) -> Iterator[str]:
    first, second = aliased(Booking), aliased(Booking)
    pairs = session.execute(
        select(first.reference, second.reference).where(
            first.evse_id == second.evse_id,
            first.id < second.id,
            first.status == BookingStatus.ACTIVE,
            second.status == BookingStatus.ACTIVE,
            first.starts_at < second.ends_at,
            second.starts_at < first.ends_at,
        )
    )
    for one, other in pairs:
        yield f"bookings {one} and {other} overlap"


def _claims_without_owner(session: Session) -> Iterator[str]:
    strays = session.scalars(
        select(SlotClaim)
        .outerjoin(
            Booking,
            and_(
                Booking.id == SlotClaim.booking_id,
                Booking.evse_id == SlotClaim.evse_id,
                _is_active(),
            ),
        )
        .outerjoin(
            MaintenanceBlock,
            and_(
                MaintenanceBlock.id == SlotClaim.block_id,
                MaintenanceBlock.evse_id == SlotClaim.evse_id,
                MaintenanceBlock.lifted_at.is_(None),
            ),
        )
        .where(
            # Those of sessions are looked at where sessions are known.
            SlotClaim.kind != ClaimedBy.SESSION,
            Booking.id.is_(None),
            MaintenanceBlock.id.is_(None),
        )
    )
    for claim in strays:
        yield f"claim {claim.evse_id}/{claim.slot_no} has no live owner"


def _owners_without_claims(
    session: Session,
    owner: type[Booking] | type[MaintenanceBlock],
    owner_id: InstrumentedAttribute[object],
    is_live: ColumnElement[bool],
) -> Iterator[str]:
    """A live owner's claims are as many as its quarter hours, from first to last."""
    number = SlotClaim.slot_no
    rows = session.execute(
        select(
            owner.id,
            owner.starts_at,
            owner.ends_at,
            func.count(number),
            func.min(number),
            func.max(number),
        )
        .outerjoin(SlotClaim, owner_id == owner.id)
        .where(is_live)
        .group_by(owner.id, owner.starts_at, owner.ends_at)
    )
    for id_, starts_at, ends_at, *claimed in rows:
        first = floor(starts_at.timestamp() / QUARTER_SECONDS)
        last = ceil(ends_at.timestamp() / QUARTER_SECONDS) - 1
        if claimed != [last - first + 1, first, last]:
            yield f"{owner.__tablename__} {id_} does not own exactly its claims"


def _unbalanced_bookings(session: Session) -> Iterator[str]:
    """What a booking says was paid is what came in for it less what went back.

    A refund the provider refused still counts: that money is owed, not ours. What went
    back once it was billed, the bill and the ledger know.
    """
    came_in = (
        select(func.coalesce(func.sum(CheckoutItem.amount_paise), 0))
        .join(Payment, Payment.checkout_id == CheckoutItem.checkout_id)
        .where(
            CheckoutItem.kind == ItemKind.BOOKING,
            CheckoutItem.item_id == Booking.id,
            Payment.status.in_(COLLECTED),
        )
        .correlate(Booking)
        .scalar_subquery()
    )
    went_back = (
        select(func.coalesce(func.sum(Refund.amount_paise), 0))
        .where(Refund.kind == ItemKind.BOOKING, Refund.item_id == Booking.id)
        .correlate(Booking)
        .scalar_subquery()
    )
    owed = and_(
        _is_active(),
        Booking.payment_status == BookingPayment.PAID,
        Booking.paid_paise != Booking.amount_paise,
    )
    rows = session.execute(
        select(Booking.reference).where(
            or_(came_in - went_back != Booking.paid_paise, owed),
            ~exists().where(Bill.item_id == Booking.id, Bill.kind == ItemKind.BOOKING),
        )
    )
    for (reference,) in rows:
        yield f"booking {reference} and its payments disagree"


def _unbalanced_payments(session: Session) -> Iterator[str]:
    went_back = func.coalesce(func.sum(Refund.amount_paise), 0)
    rows = session.execute(
        select(Payment.id)
        .outerjoin(Refund, Refund.payment_id == Payment.id)
        .group_by(Payment.id, Payment.refunded_paise)
        .having(went_back != Payment.refunded_paise)
    )
    for (payment_id,) in rows:
        yield f"payment {payment_id} and its refunds disagree"
