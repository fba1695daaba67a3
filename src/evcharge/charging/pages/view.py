"""A charging session as its page shows it at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.billing.models import Bill
from evcharge.billing.queries import bill_of
from evcharge.billing.words import rows_of, tax_words
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingStatus
from evcharge.charging.around import (
    Point,
    claims_ahead,
    next_claim_at,
    site_of_evse,
)
from evcharge.charging.costs import Running, cost_by
from evcharge.charging.curve import Curve, curve_of, powers
from evcharge.charging.figures import lasting, mean_power_w
from evcharge.charging.models import ChargingSession
from evcharge.charging.queries import samples_of, session_of_user
from evcharge.charging.rules import START_WITHIN, SessionStatus
from evcharge.charging.words import (
    USED_UP,
    Entry,
    Stage,
    entry_of,
    oddities,
    stage_of,
    was_used_up,
    why_ended,
    why_waiting,
)
from evcharge.control.models import ChargerCommand
from evcharge.control.rules import CommandKind, CommandState
from evcharge.payments.models import Due, Refund
from evcharge.payments.queries import due_of_item, refunds_of_items
from evcharge.payments.rules import ItemKind
from evcharge.stations.models import Location
from evcharge.stations.rules import OverrunPolicy
from evcharge.tariffs.rules.agreed import Agreed

# So long a charger may take to stop before we say that it does not.
STOP_WITHIN = timedelta(seconds=60)
UNLOCKS_FOR = timedelta(minutes=30)  # After the end; `ask_to_unlock` says the same.
SOON = timedelta(minutes=30)
WAITING = (CommandState.QUEUED, CommandState.SENT)
REFUSED = (CommandState.REJECTED, CommandState.TIMED_OUT)


@dataclass(frozen=True)
class View:
    """`others`: where else at the site one could charge now, if this came to nothing.

    `next_booking_at`: when somebody else's time begins here.
    """

    charge: ChargingSession
    now: datetime
    commands: Sequence[ChargerCommand]
    curve: Curve | None
    next_booking_at: datetime | None
    others: Sequence[Point]
    refunds: Sequence[Refund]
    running: Running
    bill: Bill | None
    due: Due | None
    agreed: Agreed | None

    @property
    def location(self) -> Location:
        return self.charge.evse.charger.location

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.location.timezone)

    # ── where it is ──────────────────────────────────────────────────────────────

    @property
    def stage(self) -> Stage:
        return stage_of(self.charge, is_stopping=self._is_stopping, now=self.now)

    @property
    def _is_stopping(self) -> bool:
        asked = self._last(CommandKind.STOP)
        if asked is None:
            return False
        was_heard = asked.state == CommandState.ACCEPTED
        is_recent = self.now - asked.created_at < STOP_WITHIN
        return asked.state in WAITING or (was_heard and is_recent)

    @property
    def does_not_stop(self) -> bool:
        """Whether it was asked to stop, and goes on all the same."""
        is_asked = self._last(CommandKind.STOP) is not None
        return (
            self.charge.status == SessionStatus.ACTIVE
            and is_asked
            and not self._is_stopping
        )

    @property
    def unlocking(self) -> str:
        """How far the plug's unlocking is: `asked`, `done`, `refused`, or nothing."""
        asked = self._last(CommandKind.UNLOCK)
        if asked is None:
            return ""
        if asked.state in WAITING:
            return "asked"
        return "refused" if asked.state in REFUSED else "done"

    def _last(self, kind: CommandKind) -> ChargerCommand | None:
        found = (each for each in self.commands if each.kind == kind)
        return max(found, key=lambda each: each.created_at, default=None)

    @property
    def asked_until(self) -> datetime:
        return self.charge.created_at + START_WITHIN

    @property
    def can_stop(self) -> bool:
        return self.stage in (Stage.CHARGING, Stage.WAITING, Stage.SILENT)

    @property
    def can_unlock(self) -> bool:
        ended_at = self.charge.ended_at
        if self.charge.started_at is None:
            return False
        if ended_at is None:
            return True
        is_recent = self.now - ended_at < UNLOCKS_FOR
        return is_recent and self.charge.evse.open_session_id is None

    # ── how fresh it is ──────────────────────────────────────────────────────────

    @property
    def heard_at(self) -> datetime | None:
        """When the charger last spoke of this session, or at all."""
        latest = self.charge.latest
        return latest.at if latest else self.charge.evse.charger.last_seen_at

    # ── figures ──────────────────────────────────────────────────────────────────

    @property
    def power_w(self) -> int | None:
        latest = self.charge.latest
        return latest.power_w if latest else None

    @property
    def soc_percent(self) -> int | None:
        latest = self.charge.latest
        return latest.soc_percent if latest else None

    @property
    def lasts(self) -> timedelta:
        return lasting(self.charge, now=self.now)

    @property
    def mean_power_w(self) -> int | None:
        return mean_power_w(self.charge, now=self.now)

    @property
    def amount_paise(self) -> int:
        """Up to now; once it is worked out, what it came to."""
        return self.bill.total_paise if self.bill else self.running.total_paise

    @property
    def cost_lines(self) -> list[tuple[str, int]]:
        """Rows that add up to the amount, where there is more to say than that."""
        if self.bill is not None:
            return rows_of(self.bill)
        rows = [(line.label, line.amount_paise) for line in self.running.lines]
        tax = self.running.tax_paise
        return [*rows, ("GST", tax)] if tax else rows

    @property
    def cost_note(self) -> str:
        if self.bill is not None:
            return tax_words(self.bill)
        return "" if self.stage == Stage.ENDED else "Up to now"

    @property
    def is_being_billed(self) -> bool:
        """Whether it is over, and what it came to is still being worked out."""
        return self.stage == Stage.ENDED and self.bill is None and bool(self.agreed)

    # ── whose time it is ─────────────────────────────────────────────────────────

    @property
    def is_over_slot(self) -> bool:
        booking = self.charge.booking
        return booking is not None and booking.ends_at <= self.now

    @property
    def is_next_soon(self) -> bool:
        return (
            self.next_booking_at is not None and self.next_booking_at - self.now <= SOON
        )

    @property
    def stops_for_next(self) -> bool:
        return self.location.overrun == OverrunPolicy.STOP

    @property
    def can_start_again(self) -> bool:
        """Whether the booking still stands after a start that came to nothing."""
        booking = self.charge.booking
        return (
            booking is not None
            and booking.status == BookingStatus.ACTIVE
            and booking.ends_at > self.now
        )

    @property
    def goes_on_as(self) -> UUID | None:
        """The session that goes on in place of this one, which the plug began before
        its driver asked for one."""
        found = (event.details.get("goes_on_as") for event in self.charge.events)
        return next((UUID(each) for each in found if each), None)

    # ── in words ─────────────────────────────────────────────────────────────────

    @property
    def why_waiting(self) -> str:
        return why_waiting(self.charge)

    @property
    def why_ended(self) -> str:
        if any(was_used_up(event) for event in self.charge.events):
            return USED_UP
        return why_ended(self.charge)

    @property
    def oddities(self) -> list[str]:
        return oddities(self.charge)

    @property
    def history(self) -> list[Entry]:
        return [
            entry_of(event, self.charge, now=self.now, zone=self.zone)
            for event in self.charge.events
        ]


def view_of(session: Session, session_id: UUID, user_id: int, *, now: datetime) -> View:
    """Raises: SessionNotFound, also for somebody else's."""
    charge = session_of_user(session, session_id, user_id)
    return view_of_charge(session, charge, user_id=user_id, now=now)


def view_of_charge(
    session: Session, charge: ChargingSession, *, user_id: int | None, now: datetime
) -> View:
    """Return what is to be seen of a session that was loaded for its page."""
    is_failed = charge.status == SessionStatus.INVALID
    samples = samples_of(session, charge.id) if charge.started_at else []
    bill = _bill(session, charge)
    return View(
        charge=charge,
        now=now,
        commands=_commands(session, charge.id),
        curve=curve_of(powers(samples)) if charge.started_at else None,
        next_booking_at=_next_booking_at(session, charge, user_id, now=now),
        others=_others(session, charge, now=now) if is_failed else (),
        refunds=_refunds(session, charge.booking) if is_failed else (),
        running=cost_by(charge, samples, now=now),
        bill=bill,
        due=_due(session, bill),
        agreed=Agreed.from_json(charge.tariff) if charge.tariff else None,
    )


def _bill(session: Session, charge: ChargingSession) -> Bill | None:
    if charge.ended_at is None:
        return None
    if charge.booking_id is not None:
        return bill_of(session, ItemKind.BOOKING, charge.booking_id)
    return bill_of(session, ItemKind.SESSION, charge.id)


def _due(session: Session, bill: Bill | None) -> Due | None:
    """Most charges are paid in full: only a bill that fell short is asked about."""
    if bill is None or not bill.due_paise:
        return None
    return due_of_item(session, ItemKind(bill.kind), bill.item_id)


def _commands(session: Session, session_id: UUID) -> Sequence[ChargerCommand]:
    return session.scalars(
        select(ChargerCommand).where(ChargerCommand.session_id == session_id)
    ).all()


def _next_booking_at(
    session: Session, charge: ChargingSession, user_id: int | None, *, now: datetime
) -> datetime | None:
    if charge.status not in (SessionStatus.PENDING, SessionStatus.ACTIVE):
        return None
    claims = claims_ahead(session, [charge.evse_id], now=now)[charge.evse_id]
    return next_claim_at(claims, user_id=user_id, now=now)


def _others(
    session: Session, charge: ChargingSession, *, now: datetime
) -> Sequence[Point]:
    _, others = site_of_evse(session, charge.evse_id, now=now)
    return others


def _refunds(session: Session, booking: Booking | None) -> Sequence[Refund]:
    if booking is None:
        return ()
    found = refunds_of_items(session, ItemKind.BOOKING, [booking.id])
    return found.get(booking.id, [])
