"""Random stories of what drivers, guests, chargers and clocks do, in any order.

Whatever happens, no refusal is a surprise, the audit finds nothing, and in the end
nothing is left behind.
"""

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

import make
from box import Box
from desk import Desk
from evcharge.accounts.models import RfidTag
from evcharge.bookings.models import SlotClaim
from evcharge.bookings.rules import Actor, ActorKind, Slot
from evcharge.bookings.service import (
    block_evse,
    complete_bookings,
    expire_holds,
    mark_missed,
    return_let_down,
)
from evcharge.charging.audit import discrepancies
from evcharge.charging.models import ChargingSession
from evcharge.charging.rules import EventType, SessionStatus
from evcharge.charging.service import ask_to_stop, on_answered
from evcharge.charging.service.budget import charging_on_budget, stop_if_spent
from evcharge.charging.service.claims import roll_all_claims
from evcharge.charging.service.lost import fail_overdue, heal_lost
from evcharge.charging.service.overrun import overruns, settle
from evcharge.charging.service.prepaid import drop_unpaid
from evcharge.charging.service.reservations import cancel_over, reserve_soon
from evcharge.control.rules import CommandState
from evcharge.control.service import answer_command, expire_commands, take_commands
from evcharge.finance.audit import money
from evcharge.kernel.errors import DomainError
from evcharge.stations.models import Charger
from guests import Guest
from make import MINUTE, NOON

QUARTER = 15 * MINUTE
PLACES = st.integers(0, 1)
PEOPLE = st.integers(0, 2)


class Story(RuleBasedStateMachine):
    database = None  # Given by the test.

    def __init__(self):
        super().__init__()
        with self.database.transaction() as session:
            location = make.a_location(session)
            evses = [make.an_evse(session, location=location) for _ in "ab"]
            self.users = [make.a_user(session).id for _ in "xyz"]
            for user in self.users:
                session.add(RfidTag(uid=f"C{user}", user_id=user, created_at=NOON))
            self.boxes = [Box(self.database, e.id, e.charger_id) for e in evses]
        for box in self.boxes:
            box.connect()
        self.desk = Desk(self.database, self.users[0], self.boxes[0].evse_id)
        self.now = NOON
        self.meter = 0
        self.booked = []
        self.begun = []  # (box, number)
        self.guests = []
        self.asked = []  # (guest, the provider's name for an attempt, how much)

    def perform(self, action):
        return self.try_to(lambda: self.database.perform(action))

    def try_to(self, act):
        try:
            return act()
        except DomainError:
            return None

    def pick(self, things, number):
        return things[number % len(things)] if things else None

    # ── drivers ──────────────────────────────────────────────────────────────────

    @rule(user=PEOPLE, place=PLACES, start=st.integers(0, 5), length=st.integers(1, 3))
    def book(self, user, place, start, length):
        begin = NOON + (self.now - NOON) // QUARTER * QUARTER + start * QUARTER
        made = self.try_to(
            lambda: self.desk.book(
                Slot(begin, begin + length * QUARTER),
                user_id=self.users[user],
                evse_id=self.boxes[place].evse_id,
                now=self.now,
            )
        )
        if made is not None:
            self.booked.append(made)

    @rule(user=PEOPLE, place=PLACES, length=st.integers(1, 3), ahead=st.integers(0, 2))
    def book_and_pay(self, user, place, length, ahead):
        count = len(self.booked)
        self.book(user, place, ahead, length)
        if len(self.booked) > count:
            self.pay(len(self.booked) - 1)

    @rule(which=st.integers(0, 9))
    def pay(self, which):
        if booking := self.pick(self.booked, which):
            ref = self.try_to(lambda: self.desk.start_paying(booking, now=self.now))
            if ref:
                self.desk.capture(ref, now=self.now)

    @rule(which=st.integers(0, 9))
    def cancel(self, which):
        if booking := self.pick(self.booked, which):
            self.try_to(lambda: self.desk.cancel(booking, now=self.now))

    @rule(which=st.integers(0, 9), place=PLACES, start=st.integers(0, 8))
    def move(self, which, place, start):
        if booking := self.pick(self.booked, which):
            begin = NOON + start * QUARTER
            slot = Slot(begin, begin + booking.slot.length)
            to = self.boxes[place].evse_id
            self.try_to(lambda: self.desk.move(booking, slot, evse_id=to, now=self.now))

    @rule(user=PEOPLE, place=PLACES)
    def walk_in(self, user, place):
        box = self.boxes[place]
        self.try_to(lambda: box.ask(self.users[user], now=self.now))

    @rule(which=st.integers(0, 9))
    def start_booking(self, which):
        if booking := self.pick(self.booked, which):
            self.try_to(
                lambda: self.boxes[0].ask(
                    booking.user_id, now=self.now, booking_id=booking.id
                )
            )

    @rule(which=st.integers(0, 9))
    def stop_from_phone(self, which):
        if charge := self.pick(self.boxes[0].sessions(), which):
            actor = Actor(ActorKind.DRIVER, charge.user_id)
            self.perform(
                lambda session: ask_to_stop(
                    session, session_id=charge.id, actor=actor, now=self.now
                )
            )

    # ── guests ───────────────────────────────────────────────────────────────────

    @rule(place=PLACES, rupees=st.sampled_from([120, 240, 1_000]))
    def guest_comes(self, place, rupees):
        guest = Guest(self.boxes[place])
        if self.try_to(lambda: guest.choose(rupees * 100, now=self.now)):
            self.guests.append(guest)
            self.guest_goes_to_pay(len(self.guests) - 1)

    @rule(which=st.integers(0, 9))
    def guest_goes_to_pay(self, which):
        if guest := self.pick(self.guests, which):
            ref = self.try_to(lambda: guest.go_to_pay(now=self.now))
            if ref:
                self.asked.append((guest, ref, guest.charge.prepaid_paise))

    @rule(which=st.integers(0, 9), rupees=st.sampled_from([120, 240]))
    def guest_chooses_again(self, which, rupees):
        if guest := self.pick(self.guests, which):
            self.try_to(lambda: guest.choose(rupees * 100, now=self.now))

    @rule(which=st.integers(0, 9))
    def guests_money_comes(self, which):
        """Once, or again, or long after."""
        if found := self.pick(self.asked, which):
            guest, ref, paise = found
            guest.capture(ref, paise, now=self.now)

    @rule(place=PLACES)
    def guest_pays_and_plugs_in(self, place):
        self.guest_comes(place, 240)
        self.guests_money_comes(len(self.asked) - 1)
        if self.guests and self.guests[-1].charge.status == SessionStatus.PENDING:
            tag = self.guests[-1].charge.tag
            box = self.guests[-1].box
            number = box.start(tag, at=self.now, meter=self.meter).number
            self.begun.append((box, number))

    @rule()
    def settle_guests(self):
        for guest in self.guests:
            guest.settle(now=self.now)

    # ── chargers ─────────────────────────────────────────────────────────────────

    @rule(place=PLACES, tag=st.integers(0, 30), late=st.sampled_from([0, 0, 0, 20, 90]))
    def start(self, place, tag, late):
        box = self.boxes[place]
        number = box.start(
            self.tag(tag),
            at=self.now,
            meter=self.meter,
            charger_at=self.now - timedelta(minutes=late),
        ).number
        self.begun.append((box, number))

    def tag(self, number):
        references = [each.tag for each in self.boxes[0].sessions() if each.tag]
        tags = [f"C{each}" for each in self.users] + ["STRANGER"]
        tags += [each.reference for each in self.booked] + references
        return self.pick(tags, number)

    @rule(which=st.integers(0, 9), wh=st.integers(0, 9_000), guess=st.booleans())
    def stop(self, which, wh, guess):
        if found := self.pick(self.begun, which):
            box, number = found
            self.meter += wh
            box.stop(-1 if guess else number, at=self.now, meter=self.meter)

    @rule(
        place=PLACES,
        type_=st.sampled_from(list(EventType)),
        ref=st.integers(0, 4),
        tag=st.none() | st.integers(0, 30),
        seq_no=st.integers(0, 5),
    )
    def event(self, place, type_, ref, tag, seq_no):
        said = {} if tag is None else {"tag": self.tag(tag)}
        self.boxes[place].event(
            type_, f"t{ref}", at=self.now, seq_no=seq_no, meter=self.meter, **said
        )

    @rule(which=st.integers(0, 9), wh=st.integers(0, 2_000))
    def metered(self, which, wh):
        if found := self.pick(self.begun, which):
            self.meter += wh
            found[0].meter(found[1], self.meter, at=self.now)

    @rule(is_yes=st.booleans())
    def answer_commands(self, is_yes):
        state = CommandState.ACCEPTED if is_yes else CommandState.REJECTED

        def answer(session):
            for asked in take_commands(session, gateway="g", now=self.now):
                done = answer_command(
                    session, asked.id, state=state, answer="", details={}, at=self.now
                )
                on_answered(session, done, self.now)

        self.database.perform(answer)

    # ── operators, clocks ────────────────────────────────────────────────────────

    @rule(place=PLACES, start=st.integers(0, 3), cancels=st.booleans())
    def block(self, place, start, cancels):
        begin = NOON + ((self.now - NOON) // QUARTER + start) * QUARTER
        self.perform(
            lambda session: block_evse(
                session,
                evse_id=self.boxes[place].evse_id,
                slot=Slot(begin, begin + 2 * QUARTER),
                reason="Repair",
                actor=Actor(ActorKind.OPERATOR, self.users[0]),
                cancel_bookings=cancels,
                now=self.now,
            )
        )

    @rule(minutes=st.sampled_from([1, 2, 5, 15, 40]))
    def time_passes(self, minutes):
        self.now += timedelta(minutes=minutes)

    @rule(is_heard=st.booleans())
    def sweep(self, is_heard):
        now = self.now
        with self.database.transaction() as session:
            if is_heard:
                session.query(Charger).update({"last_seen_at": now})
        for each in (
            expire_holds,
            mark_missed,
            return_let_down,
            complete_bookings,
            fail_overdue,
            drop_unpaid,
            heal_lost,
            roll_all_claims,
            cancel_over,
            reserve_soon,
        ):
            self.database.perform(lambda session, each=each: each(session, now=now))
        self.database.perform(self.give_up)
        with self.database.reading() as session:
            on_budget = charging_on_budget(session, now=now)
        for each in on_budget:
            self.database.perform(
                lambda session, each=each: stop_if_spent(
                    session, session_id=each, now=now
                )
            )
        with self.database.reading() as session:
            found = overruns(session, now=now)
        for each in found:
            self.perform(lambda session, each=each: settle(session, each, now=now))

    def give_up(self, session):
        for command in expire_commands(session, now=self.now):
            on_answered(session, command, self.now)

    # ── what must always hold ────────────────────────────────────────────────────

    @invariant()
    def the_audit_finds_nothing(self):
        with self.database.reading() as session:
            assert discrepancies(session) == []

    @invariant()
    def whoever_charges_is_the_only_one_shown(self):
        live = [each for each in self.sessions() if each.status == SessionStatus.ACTIVE]
        for box in self.boxes:
            shown = box.evse().open_session_id
            here = [each.id for each in live if each.evse_id == box.evse_id]
            assert shown is None or shown in here

    def sessions(self):
        with self.database.reading() as session:
            return list(session.scalars(select(ChargingSession)))

    def teardown(self):
        """Everybody leaves, and the jobs tidy up."""
        for box, number in self.begun:
            box.stop(number, at=self.now, meter=self.meter)
        for box in self.boxes:
            for ref in range(5):
                box.event(
                    EventType.ENDED, f"t{ref}", at=self.now, seq_no=9, meter=self.meter
                )
        self.now += timedelta(days=1)
        with self.database.transaction() as session:
            session.query(Charger).update({"last_seen_at": self.now})
        for _ in "ab":
            self.sweep(True)
        self.settle_guests()
        over = {SessionStatus.COMPLETED, SessionStatus.INVALID}
        assert {each.status for each in self.sessions()} <= over
        with self.database.reading() as session:
            claims = select(SlotClaim).where(SlotClaim.session_id.is_not(None))
            assert session.scalars(claims).all() == []
            assert discrepancies(session) == []
            # Bookings are not billed here, so what they hold is no finding.
            wrong = money(session, now=self.now + timedelta(days=2))
            assert [each for each in wrong if "booking" not in each] == []


def test_random_stories_leave_nothing_wrong(database):
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
