"""Random stories of booking life, told to the product and to a model of thirty lines.

The model keeps a list and looks through it; it knows nothing of claims. Clocks jump,
holds lapse, money comes late: both must agree on every answer and every state.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

import make
from desk import Desk
from evcharge.bookings.rules import Slot
from evcharge.bookings.service import (
    complete_bookings,
    complete_by_session,
    expire_holds,
    mark_missed,
    note_session,
    return_let_down,
)
from evcharge.control.models import ChargerConnection
from evcharge.control.rules import Protocol
from evcharge.kernel.errors import DomainError
from evcharge.stations.models import Charger
from make import HOUR, MINUTE, NOON, PRICE_PAISE

QUARTER = 15 * MINUTE


@dataclass
class Told:
    """A booking as the model sees it."""

    id: UUID
    user: int
    evse: int
    slot: Slot
    made_at: datetime
    deadline: datetime | None
    status: str = "ACTIVE"
    paid: int = 0
    moved_late: bool = False
    came: bool = False
    came_in: set[str] = field(default_factory=set)

    def lapsed(self, now: datetime) -> bool:
        return self.deadline is not None and self.deadline <= now

    def has_missed_it(self, now: datetime) -> bool:
        return not self.came and self.slot.starts_at + QUARTER <= now

    def overlaps(self, evse: int, slot: Slot) -> bool:
        return (
            self.evse == evse
            and self.slot.starts_at < slot.ends_at
            and slot.starts_at < self.slot.ends_at
        )


def connection_of(evse):
    """Its charger speaks to us: who does not come is missed."""
    return ChargerConnection(
        charger_id=evse.charger_id,
        generation=1,
        gateway="g",
        protocol=Protocol.OCPP201,
        opened_at=NOON,
    )


class Story(RuleBasedStateMachine):
    database = None  # Given by the test.

    bookings = Bundle("bookings")
    attempts = Bundle("attempts")

    def __init__(self):
        super().__init__()
        with self.database.transaction() as session:
            location = make.a_location(session)
            evses = [make.an_evse(session, location=location) for _ in "ab"]
            self.evses = [each.id for each in evses]
            for each in evses:
                session.add(connection_of(each))
            self.users = [make.a_user(session).id for _ in "xyz"]
        self.desk = Desk(self.database, self.users[0], self.evses[0])
        self.now = NOON
        self.told: dict[UUID, Told] = {}

    # ── the model ────────────────────────────────────────────────────────────────

    def active(self):
        return [each for each in self.told.values() if each.status == "ACTIVE"]

    def in_the_way(self, evse, slot, but=None):
        return [
            each
            for each in self.active()
            if each.overlaps(evse, slot) and each is not but
        ]

    def is_taken(self, evse, slot, but=None):
        others = self.in_the_way(evse, slot, but)
        return not all(each.lapsed(self.now) for each in others)

    def reap(self, evse, slot, but=None):
        for each in self.in_the_way(evse, slot, but):
            each.status = "EXPIRED"

    def expected_of_booking(self, user, evse, slot):
        mine = [
            each
            for each in self.active()
            if each.user == user
            and each.slot.ends_at > self.now
            and not each.lapsed(self.now)
        ]
        if slot.ends_at <= self.now or slot.starts_at + QUARTER <= self.now:
            return "SlotNotBookable"
        if len([each for each in mine if each.deadline]) >= 2:
            return "TooManyHolds"
        if len(mine) >= 5:
            return "TooManyBookings"
        return "SlotTaken" if self.is_taken(evse, slot) else "done"

    # ── what can happen ──────────────────────────────────────────────────────────

    def try_to(self, act):
        """Return what it made and how it went."""
        try:
            return act(), "done"
        except DomainError as refusal:
            return None, type(refusal).__name__

    def slot_at(self, start, length):
        begin = NOON + start * QUARTER
        return Slot(begin, begin + length * QUARTER)

    @rule(
        target=bookings,
        user=st.integers(0, 2),
        evse=st.integers(0, 1),
        start=st.integers(2, 8),
        length=st.integers(1, 3),
    )
    def book(self, user, evse, start, length):
        user, evse, slot = (
            self.users[user],
            self.evses[evse],
            self.slot_at(start, length),
        )
        expected = self.expected_of_booking(user, evse, slot)

        made, went = self.try_to(
            lambda: self.desk.book(slot, user_id=user, evse_id=evse, now=self.now)
        )

        assert went == expected
        if made is None:
            return None
        self.reap(evse, slot)
        self.told[made.id] = Told(
            made.id, user, evse, slot, self.now, self.now + 10 * MINUTE
        )
        return made

    @rule(target=attempts, booking=bookings)
    def start_paying(self, booking):
        if booking is None:
            return None
        known = self.told[booking.id]
        expected = "done"
        if known.status != "ACTIVE" or known.lapsed(self.now):
            expected = "BookingNotActive"
        elif known.paid >= PRICE_PAISE:
            expected = "NothingToPay"

        ref, went = self.try_to(lambda: self.desk.start_paying(booking, now=self.now))

        assert went == expected
        if ref and known.deadline:
            known.deadline = known.made_at + 16 * MINUTE
        return ref and (ref, booking.id)

    @rule(attempt=attempts)
    def money_comes(self, attempt):
        if attempt is None:
            return
        ref, booking_id = attempt
        known = self.told[booking_id]

        self.desk.capture(ref, now=self.now)

        if ref in known.came_in:
            return
        known.came_in.add(ref)
        over = known.slot.ends_at <= self.now
        if known.status == "ACTIVE" and known.lapsed(self.now) and over:
            known.status = "EXPIRED"
        can_revive = known.status == "EXPIRED" and known.slot.ends_at > self.now
        if can_revive and not self.is_taken(known.evse, known.slot, known):
            self.reap(known.evse, known.slot, known)
            known.status = "ACTIVE"
        if known.status == "ACTIVE":
            known.paid, known.deadline = PRICE_PAISE, None

    @rule(booking=bookings)
    def cancel(self, booking):
        if booking is None:
            return
        known = self.told[booking.id]
        over = known.status not in ("ACTIVE", "CANCELLED")

        _, went = self.try_to(lambda: self.desk.cancel(booking, now=self.now))

        assert went == ("BookingNotActive" if over else "done")
        if known.status == "ACTIVE":
            known.status = "CANCELLED"
            if known.came:
                return
            if self.now <= known.slot.starts_at - HOUR and not known.moved_late:
                known.paid = 0
            elif self.now < known.slot.starts_at:
                known.paid -= known.paid // 2

    @rule(booking=bookings, evse=st.integers(0, 1), start=st.integers(2, 10))
    def move(self, booking, evse, start):
        if booking is None:
            return
        known, evse = self.told[booking.id], self.evses[evse]
        begin = NOON + start * QUARTER
        slot = Slot(begin, begin + known.slot.length)
        expected = self.expected_of_move(known, evse, slot)

        _, went = self.try_to(
            lambda: self.desk.move(booking, slot, evse_id=evse, now=self.now)
        )

        assert went == expected
        if went == "done" and (evse, slot) != (known.evse, known.slot):
            self.reap(evse, slot, known)
            if known.paid and self.now > known.slot.starts_at - HOUR:
                known.moved_late = True
            known.evse, known.slot = evse, slot

    def expected_of_move(self, known, evse, slot):
        if (evse, slot) == (known.evse, known.slot):
            return "done"
        if known.status != "ACTIVE" or known.lapsed(self.now):
            return "BookingNotActive"
        if known.slot.starts_at <= self.now or known.came:
            return "BookingStarted"
        if slot.starts_at + QUARTER <= self.now:
            return "SlotNotBookable"
        return "SlotTaken" if self.is_taken(evse, slot, known) else "done"

    @rule(minutes=st.sampled_from([1, 6, 10, 16, 40]))
    def time_passes(self, minutes):
        self.now += timedelta(minutes=minutes)

    @rule(booking=bookings)
    def the_bank_is_slow(self, booking):
        """Chance alone rarely tells this story, and it is the one that costs money."""
        attempt = self.start_paying(booking)
        self.time_passes(16)
        self.tidy_up()
        self.money_comes(attempt)

    @rule(booking=bookings)
    def the_driver_comes(self, booking):
        if booking is None:
            return
        known = self.told[booking.id]
        with self.database.transaction() as session:
            note_session(session, booking.id, at=self.now, now=self.now)
        if known.status not in ("CANCELLED", "EXPIRED"):
            known.came = True
        if known.status == "NO_SHOW":
            known.status = "COMPLETED"

    @rule(booking=bookings)
    def the_driver_has_charged(self, booking):
        if booking is None:
            return
        known = self.told[booking.id]
        self.the_driver_comes(booking)
        with self.database.transaction() as session:
            complete_by_session(session, booking.id, at=self.now, now=self.now)
        if known.status == "ACTIVE":
            known.status = "COMPLETED"

    @rule()
    def tidy_up(self):
        with self.database.transaction() as session:
            session.query(Charger).update({"last_seen_at": self.now})
            expire_holds(session, now=self.now)
            mark_missed(session, now=self.now)
            return_let_down(session, now=self.now)
            complete_bookings(session, now=self.now)
        for each in self.active():
            if each.lapsed(self.now):
                each.status = "EXPIRED"
            elif each.deadline is None and each.has_missed_it(self.now):
                each.status = "NO_SHOW"
            elif each.deadline is None and each.slot.ends_at <= self.now:
                each.status = "COMPLETED"

    # ── what must always hold ────────────────────────────────────────────────────

    @invariant()
    def both_agree(self):
        for known in self.told.values():
            booking = self.desk.read(known.id)
            assert (booking.status.value, booking.slot) == (known.status, known.slot)
            assert booking.paid_paise == known.paid

    @invariant()
    def nothing_is_wrong(self):
        assert self.desk.audit() == []


def test_random_stories_go_as_the_model_says(database):
    class Here(Story):
        pass

    Here.database = database
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
