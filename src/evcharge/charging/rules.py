"""The words of charging sessions, and what is decided about them. Plain Python."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from evcharge.kernel.errors import Conflict, InvalidInput, NotFound
from evcharge.tariffs.rules import Usage
from evcharge.tariffs.rules.agreed import Agreed

START_WITHIN = timedelta(seconds=60)  # From asking a charger to start, to its start.
# How long before its slot a booking may be plugged in, if nobody else has that time.
EARLY_START = timedelta(minutes=15)
SUCCESSFUL_WH = 100  # Less than that is a handshake, not a charge.


class SessionStatus(StrEnum):
    """As OCPI 2.2.1, section 9.4.3 names them, in the customer's capitals.

    UNPAID: waits for the money that is asked first. PENDING: asked for, not begun.
    INVALID: never began.
    """

    UNPAID = "UNPAID"
    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    INVALID = "INVALID"


class StartedBy(StrEnum):
    """How whoever charges was recognised."""

    APP = "app"  # Started from the phone: by a booking, or at the charger.
    REFERENCE = "reference"  # Typed or tapped the booking's reference.
    CARD = "card"  # A card we know.
    UNKNOWN = "unknown"  # A tag we do not, or none. It charged; that is a fact.


class Flag(StrEnum):
    """What is odd about a session, for whoever bills or repairs."""

    UNKNOWN_TAG = "unknown_tag"
    FOREIGN_SLOT = "foreign_slot"
    OFFLINE = "offline"
    LATE = "late"
    START_MISSING = "start_missing"
    STOP_MISSING = "stop_missing"
    METER_DECREASED = "meter_decreased"
    METER_MISSING = "meter_missing"
    METER_ESTIMATED = "meter_estimated"
    SEQUENCE_GAP = "sequence_gap"
    CLOCK_WRONG = "clock_wrong"
    MATCHED_LATER = "matched_later"


class SessionEventKind(StrEnum):
    REQUESTED = "requested"
    STARTED = "started"
    REFUSED = "refused"
    STOP_REQUESTED = "stop_requested"
    UNLOCK_REQUESTED = "unlock_requested"
    OVERSTAYED = "overstayed"
    WARNED = "warned"
    ENDED = "ended"
    FAILED = "failed"
    FLAGGED = "flagged"


class SessionNotFound(NotFound):
    code = "session_not_found"
    message = "There is no such charging session."


class SessionNotActive(Conflict):
    code = "session_not_active"
    message = "This charging session has ended."


class SessionUnderWay(Conflict):
    code = "session_under_way"
    message = "A vehicle is charging here already."


class NotYourTime(Conflict):
    code = "not_your_time"
    message = "Someone has booked this charging point for now."


class CannotStartHere(Conflict):
    code = "cannot_start_here"
    message = "This charging point cannot start a charge just now."


class TooEarlyToStart(Conflict):
    code = "too_early_to_start"
    message = "Your slot has not begun yet."


class TooManyPaying(Conflict):
    code = "too_many_paying"
    message = "Others are paying for this charging point just now. Wait a minute."


class BadAdvance(InvalidInput):
    code = "bad_advance"
    message = "Choose another amount."


class BadMeterValue(InvalidInput):
    code = "bad_meter_value"
    message = "That is not a meter value."


# What a guest pays before charging: enough to be worth it, not more than a mistake
# may cost.
LEAST_ADVANCE_PAISE = 5_000
MOST_ADVANCE_PAISE = 500_000
TEN_RUPEES = 1_000
# Razorpay's payment links live at least 15 minutes.
TIME_TO_PREPAY = timedelta(minutes=16)
# A payment that began in time may take that much longer to come in.
UNPAID_FOR = timedelta(minutes=20)
# Nobody holds a point by not paying: only so many pay for one at a time, and whoever
# has not within minutes is not counted any more.
MOST_PAYING = 3
PAYING_FOR = timedelta(minutes=5)
# Whose booking begins sooner than that must not find somebody's cable there.
SHORTEST_VISIT = timedelta(minutes=5)
# From paying to the plug: people walk back to their vehicle.
PLUG_IN_WITHIN = timedelta(minutes=5)
# As long as that, next to no energy is a charge that failed, not one that was used.
HANDSHAKE = timedelta(minutes=10)


@dataclass(frozen=True)
class Visit:
    """What somebody without an account asks for at a charging point."""

    guest_id: UUID
    evse_id: int
    amount_paise: int
    email: str | None = None
    phone: str | None = None


def least_advance_paise(
    agreed: Agreed | None, *, price_paise_per_hour: int, now: datetime
) -> int:
    """Return the least to pay before charging: more than it costs to begin."""
    if agreed is None:
        least = max(LEAST_ADVANCE_PAISE, price_paise_per_hour)
    else:
        begun = agreed.taxed(Usage(now, now, (), now))
        least = LEAST_ADVANCE_PAISE + begun.total_paise
    return -(-least // TEN_RUPEES) * TEN_RUPEES


@dataclass(frozen=True)
class Reading:
    """What the meter and the vehicle said at one moment; None where they did not.

    `energy_wh` is the register (whole watt-hours, all phases), `power_w` what flows,
    `soc_percent` the vehicle's state of charge. `measured_at`: the charger's clock.
    """

    measured_at: datetime | None = None
    energy_wh: int | None = None
    power_w: int | None = None
    soc_percent: int | None = None


@dataclass(frozen=True)
class TransactionStart:
    """A charger says that charging began. `transaction_ref`: OCPP 2.0.1's own id.

    `tag`: who the charger says it is; `remote_start_id` answers our own command.
    """

    charger_id: int
    evse_number: int
    connector_number: int | None
    tag: str | None
    meter_wh: int | None
    charger_at: datetime | None
    transaction_ref: str | None = None
    is_offline: bool = False
    reservation_number: int | None = None
    remote_start_id: int | None = None


@dataclass(frozen=True)
class TransactionStop:
    """A charger says that charging ended: of transaction `number`, or `ref`."""

    charger_id: int
    meter_wh: int | None
    charger_at: datetime | None
    number: int | None = None
    transaction_ref: str | None = None
    tag: str | None = None
    reason: str = ""
    readings: tuple[Reading, ...] = ()
    is_offline: bool = False


@dataclass(frozen=True)
class Metered:
    """Meter values of a transaction, by `number` (1.6) or `ref` (2.0.1), or of none."""

    charger_id: int
    evse_number: int
    readings: tuple[Reading, ...]
    number: int | None = None
    transaction_ref: str | None = None


class EventType(StrEnum):
    STARTED = "Started"
    UPDATED = "Updated"
    ENDED = "Ended"


@dataclass(frozen=True)
class TransactionEvent:
    """OCPP 2.0.1 part 2, section 1.60 TransactionEventRequest, in our words."""

    type: EventType
    charger_id: int
    transaction_ref: str
    seq_no: int
    charger_at: datetime | None
    evse_number: int | None = None
    connector_number: int | None = None
    tag: str | None = None
    is_offline: bool = False
    charging_state: str | None = None  # As the charger spells it.
    reason: str = ""
    readings: tuple[Reading, ...] = ()
    reservation_number: int | None = None
    remote_start_id: int | None = None

    @property
    def registers_wh(self) -> list[int]:
        """The energy registers it tells, in its order."""
        return [each.energy_wh for each in self.readings if each.energy_wh is not None]


@dataclass(frozen=True)
class StartAnswer:
    """`number` names the transaction in OCPP 1.6; `is_allowed`: may it go on?"""

    number: int
    is_allowed: bool
    session_id: UUID


@dataclass(frozen=True)
class Meter:
    """The energy register of a session: where it began, where it is.

    `low_wh` is a register that went down, until the next one tells whether the meter
    was reset or only slipped. `offset_wh` is what resets took away.
    """

    start_wh: int | None = None
    last_wh: int | None = None
    low_wh: int | None = None
    offset_wh: int = 0

    @property
    def energy_wh(self) -> int:
        if self.start_wh is None or self.last_wh is None:
            return 0
        return max(0, self.last_wh - self.start_wh + self.offset_wh)

    @property
    def has_decreased(self) -> bool:
        return self.low_wh is not None or self.offset_wh > 0

    def reads(self, register_wh: int) -> "Meter":
        """Return the meter after it showed this; what it gave never becomes less."""
        if self.start_wh is None or self.last_wh is None:
            return replace(self, start_wh=register_wh, last_wh=register_wh)
        if register_wh >= self.last_wh:
            return replace(self, last_wh=register_wh, low_wh=None)
        if self.low_wh is None or register_wh < self.low_wh:
            return replace(self, low_wh=register_wh)
        # Down twice, and growing: it was reset. What it gave meanwhile is not known.
        lost = self.last_wh - self.low_wh
        return Meter(self.start_wh, register_wh, None, self.offset_wh + lost)


CLOCK_IS_OFF = timedelta(minutes=5)
CLOCKS_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Moment:
    """When something happened, judged by when we heard of it and the charger's clock.

    Heard within minutes, our clock rules. What a charger kept while it was offline
    happened when the charger says, unless its clock cannot be right.
    """

    at: datetime
    is_late: bool = False
    is_clock_wrong: bool = False


def moment(charger_at: datetime | None, *, heard_at: datetime) -> Moment:
    if charger_at is None:
        return Moment(heard_at)
    if charger_at < CLOCKS_BEGIN or charger_at > heard_at + CLOCK_IS_OFF:
        return Moment(heard_at, is_clock_wrong=True)
    if charger_at < heard_at - CLOCK_IS_OFF:
        return Moment(charger_at, is_late=True)
    return Moment(heard_at)
