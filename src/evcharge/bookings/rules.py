"""What makes a slot bookable. Plain Python: no database, no clock, no Flask."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from evcharge.kernel.errors import Conflict, InvalidInput, NotFound
from evcharge.kernel.ids import new_id
from evcharge.kernel.money import share
from evcharge.kernel.settings import Settings

# The grid that bookings claim: quarter hours, counted from the epoch in UTC.
# It fits every current UTC offset.
QUARTER = timedelta(minutes=15)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

NO_SHOW_GRACE = timedelta(minutes=15)
FREE_CANCELLING = timedelta(minutes=60)
LATE_CANCELLING_PERCENT = 50
# Ten years: what is moved when cancelling costs something stays that way.
NEVER_FREE_MINUTES = 10 * 365 * 24 * 60
MOST_ALTERNATIVES = 3

LONGEST_BLOCK = timedelta(days=31)
FARTHEST_BLOCK = timedelta(days=365)

_KEYED_BOOKINGS = UUID("6c3f9a52-0d0e-4a57-9a86-1b7f6f0f7a11")


class BookingStatus(StrEnum):
    """States as the customer writes them. Only ACTIVE owns claims."""

    ACTIVE = "ACTIVE"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    NO_SHOW = "NO_SHOW"
    COMPLETED = "COMPLETED"


class BookingPayment(StrEnum):
    """Whether all that is owed has come in."""

    PENDING = "PENDING"
    PAID = "PAID"


class BookingEventKind(StrEnum):
    BOOKED = "booked"
    CHECKOUT_OPENED = "checkout_opened"
    PAID = "paid"
    PAID_TOO_LATE = "paid_too_late"
    MOVED = "moved"
    EXPIRED = "expired"
    REVIVED = "revived"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    COMPLETED = "completed"
    CHARGING = "charging"
    REASSIGNED = "reassigned"


class ActorKind(StrEnum):
    DRIVER = "driver"
    OPERATOR = "operator"
    PROVIDER = "provider"
    SYSTEM = "system"


class BookingNotFound(NotFound):
    code = "booking_not_found"
    message = "There is no such booking."


class BookingNotActive(Conflict):
    code = "booking_not_active"
    message = "This booking is over: it was cancelled, ran out of time or has ended."


class BookingStarted(Conflict):
    code = "booking_started"
    message = "This booking has already started."


class BookingChanged(Conflict):
    code = "conflict"
    message = "This booking has just changed. Look again."


class SlotNotBookable(InvalidInput):
    code = "slot_not_bookable"
    message = "Choose a time ahead, on the quarter hour and not too long."


class SiteClosed(SlotNotBookable):
    code = "site_closed"
    message = "The site is closed then."


class EvseNotBookable(Conflict):
    code = "evse_not_bookable"
    message = "This charging point cannot be booked at the moment."


class SlotTaken(Conflict):
    code = "slot_taken"
    message = "Someone has already booked that time."


class KeyReused(InvalidInput):
    code = "key_reused"
    message = "That idempotency key belongs to a different booking."


class PriceChanged(Conflict):
    """`details["amount_paise"]` is the new price, to be accepted or not."""

    code = "price_changed"
    message = "That time has another price."


class RefundShrunk(Conflict):
    """`details["refund_paise"]` is what comes back by now."""

    code = "refund_shrunk"
    message = "Less comes back now than when you looked."


class BookingsInTheWay(Conflict):
    """`details["booking_ids"]` are the promises that would be broken."""

    code = "bookings_in_the_way"
    message = "Drivers have booked this time."


class BlockNotFound(NotFound):
    code = "block_not_found"
    message = "There is no such maintenance block."


class TooEarly(Conflict):
    code = "too_early"
    message = "Wait until some minutes after the start."


class ChargerWasSilent(Conflict):
    code = "charger_was_silent"
    message = (
        "The charger has not been heard of since the start, so the driver"
        " may have come. Cancel the booking with a full refund instead."
    )


class PriceFixed(Conflict):
    code = "price_fixed"
    message = (
        "This close to the start, a paid booking can only move to a time"
        " that costs the same."
    )


class TooManyHolds(Conflict):
    code = "too_many_holds"
    message = "Pay for a hold, or let it go, before you hold more."


class TooManyBookings(Conflict):
    code = "too_many_bookings"
    message = "You have as many upcoming bookings as one may have."


@dataclass(frozen=True)
class Slot:
    """A half-open stretch of time, `[starts_at, ends_at)`, in aware UTC."""

    starts_at: datetime
    ends_at: datetime

    @property
    def length(self) -> timedelta:
        return self.ends_at - self.starts_at

    @property
    def quarters(self) -> range:
        """The numbers of the quarter hours the slot touches, even in part."""
        return range(slot_no(self.starts_at), -((EPOCH - self.ends_at) // QUARTER))


def status_at(
    status: BookingStatus, hold_expires_at: datetime | None, *, now: datetime
) -> BookingStatus:
    """A hold whose time is up is over, whether or not anybody has closed it yet."""
    is_active = status == BookingStatus.ACTIVE
    has_lapsed = hold_expires_at is not None and hold_expires_at <= now
    return BookingStatus.EXPIRED if is_active and has_lapsed else status


def slot_no(at: datetime) -> int:
    """Return the number of the quarter hour that `at` lies in."""
    return (at - EPOCH) // QUARTER


def slot_start(number: int) -> datetime:
    return EPOCH + number * QUARTER


@dataclass(frozen=True)
class Limits:
    """How much one driver may hold, and for how long."""

    shortest: timedelta = timedelta(minutes=15)
    longest: timedelta = timedelta(hours=8)
    ahead: timedelta = timedelta(days=14)
    most_holds: int = 2
    most_upcoming: int = 5
    hold: timedelta = timedelta(minutes=10)
    checkout: timedelta = timedelta(minutes=16)
    # How long somebody may owe for what they used, and still book.
    due: timedelta = timedelta(days=3)

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(
            longest=timedelta(minutes=settings.booking_longest_minutes),
            ahead=timedelta(days=settings.booking_days_ahead),
            most_holds=settings.booking_most_holds,
            most_upcoming=settings.booking_most_upcoming,
            hold=timedelta(minutes=settings.hold_minutes),
            checkout=timedelta(minutes=settings.checkout_minutes),
            due=timedelta(days=settings.due_days),
        )


@dataclass(frozen=True)
class Terms:
    """What a driver agreed to when booking; kept with the booking."""

    price_paise_per_hour: int
    free_until_minutes: int = FREE_CANCELLING // timedelta(minutes=1)
    late_percent: int = LATE_CANCELLING_PERCENT

    def is_late(self, *, starts_at: datetime, now: datetime) -> bool:
        """Whether cancelling costs something by now."""
        return starts_at - now < timedelta(minutes=self.free_until_minutes)

    def refund_paise(
        self, paid_paise: int, *, starts_at: datetime, now: datetime
    ) -> int:
        """Return what a driver who cancels now gets back of what they paid."""
        if now >= starts_at:
            return 0
        if self.is_late(starts_at=starts_at, now=now):
            return share(paid_paise, percent=self.late_percent)
        return paid_paise


@dataclass(frozen=True)
class Actor:
    """Who did it: a person by id, or one of the programs."""

    kind: ActorKind
    user_id: int | None = None


SYSTEM = Actor(ActorKind.SYSTEM)
PROVIDER = Actor(ActorKind.PROVIDER)


@dataclass(frozen=True)
class BookingRequest:
    """What a driver asks for. The edge makes it once; a retry repeats the same id."""

    id: UUID
    user_id: int
    evse_id: int
    slot: Slot

    @property
    def request_hash(self) -> str:
        body = [
            self.evse_id,
            self.slot.starts_at.isoformat(),
            self.slot.ends_at.isoformat(),
        ]
        return hashlib.sha256(json.dumps(body).encode()).hexdigest()


def booking_request(
    *, user_id: int, evse_id: int, slot: Slot, key: str | None = None
) -> BookingRequest:
    """Make a request. The same driver and key make the same booking id."""
    booking_id = uuid5(_KEYED_BOOKINGS, f"{user_id}:{key}") if key else new_id()
    return BookingRequest(booking_id, user_id, evse_id, slot)


def check_slot(slot: Slot, *, limits: Limits, now: datetime) -> None:
    """Raises: SlotNotBookable, saying which limit the slot breaks."""
    _check_on_grid(slot)
    _check_not_past(slot, now=now)
    if slot.starts_at > now + limits.ahead:
        raise SlotNotBookable(f"Bookings open {limits.ahead.days} days ahead.")
    if not limits.shortest <= slot.length <= limits.longest:
        raise SlotNotBookable(
            f"A booking lasts from {limits.shortest // timedelta(minutes=1)} minutes"
            f" to {limits.longest / timedelta(hours=1):g} hours."
        )


def check_block(slot: Slot, *, now: datetime) -> None:
    """Raises: SlotNotBookable, saying what is wrong with a maintenance block."""
    _check_on_grid(slot)
    _check_not_past(slot, now=now)
    if not timedelta() < slot.length <= LONGEST_BLOCK:
        raise SlotNotBookable(
            f"Maintenance ends after it starts, within {LONGEST_BLOCK.days} days."
        )
    if slot.starts_at > now + FARTHEST_BLOCK:
        raise SlotNotBookable("Maintenance can be planned a year ahead.")


def _check_on_grid(slot: Slot) -> None:
    if any((at - EPOCH) % QUARTER for at in (slot.starts_at, slot.ends_at)):
        raise SlotNotBookable("Bookings start and end on the quarter hour.")


def _check_not_past(slot: Slot, *, now: datetime) -> None:
    # A driver at the charger at 18:07 may still book from 18:00.
    if slot_no(slot.starts_at) < slot_no(now):
        raise SlotNotBookable("That time has passed. Choose a later one.")
