"""A program that is killed at any moment between asking for money and the invoice.

A child tells one story, from the checkout to the papers, and is killed at its nth
commit: just before it, or just after. What follows is what a restart brings: whoever
asked asks again, the charger repeats itself, the reconciler asks the provider, the jobs
run. In the end the money is where it would be if nobody had died.
"""

import os
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, func, select

import make
from box import Box, a_box
from desk import LIMITS, PROCESSES, Desk
from evcharge.billing.models import Bill
from evcharge.bookings.rules import Slot
from evcharge.bookings.service import open_checkout
from evcharge.charging.models import ChargingSession
from evcharge.charging.queries import session_of_guest_or_none
from evcharge.charging.rules import SessionStatus, Visit
from evcharge.charging.service import ask_to_prepay, open_prepaid
from evcharge.finance.audit import discrepancies
from evcharge.invoices.models import TaxDocument
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.errors import DomainError
from evcharge.kernel.jobs import enqueue, release_leases, run_next
from evcharge.kernel.settings import Settings, read_settings
from evcharge.payments.models import Checkout, Payment, Refund
from evcharge.payments.providers.base import Order
from evcharge.payments.providers.simulated import Simulated
from evcharge.payments.rules import COLLECTED, OrderOver, Payer
from evcharge.payments.service import record_outcome, start_payment
from evcharge.wiring import ON_PAID, job_handlers
from make import MINUTE
from tariff_rows import a_registration, a_tariff, per_kwh

SECRET = "only-for-tests-0123456789-abcdefgh"
USED_WH = 5_000
TOTAL = 11_800  # 5 kWh at ₹20, and 18 % tax.


@dataclass(frozen=True)
class Story:
    """What it is about: simple things, for another process."""

    url: str
    data_dir: str
    evse_id: int
    charger_id: int
    plugged_in_at: datetime

    @property
    def settings(self) -> Settings:
        return read_settings(
            secret_key=SECRET, database_url=self.url, data_dir=self.data_dir
        )

    def tell(self, database: Database) -> None:
        """From the checkout to the papers. Whatever was done is not done again."""
        gateway = Simulated(database, self.settings.secret_key)
        self._pay(database, gateway)
        self._charge(Box(database, self.evse_id, self.charger_id))
        self.work(database)

    def _pay(self, database: Database, gateway: Simulated) -> None:
        try:
            payment = self.begin_to_pay(database)
        except DomainError:
            return  # It is paid.
        gateway.open_order(
            Order(
                payment.provider_ref,
                payment.amount_paise,
                "A charge",
                f"/payments/{payment.id}/return",
                utc_now() + timedelta(minutes=16),
            )
        )
        with suppress(OrderOver):  # They had paid before the program died.
            gateway.choose(payment.provider_ref, "pay", "upi")
        self._come_back(database, gateway, payment.provider_ref)
        self.work(database)

    def _come_back(self, database: Database, gateway: Simulated, ref: str) -> None:
        """The payer's browser lands on our page, which asks how it went."""
        outcome = gateway.ask(ref)
        database.perform(
            lambda session: record_outcome(
                session,
                provider="simulated",
                outcome=outcome,
                on_paid=ON_PAID,
                now=utc_now(),
            )
        )

    def _charge(self, box: Box) -> None:
        """As chargers do: what was not answered is said again, with the same times."""
        charge = self.charge(box)
        if charge is not None and charge.status == SessionStatus.COMPLETED:
            return
        answer = box.start(self.tag(box), at=utc_now(), charger_at=self.plugged_in_at)
        box.stop(
            answer.number,
            at=utc_now(),
            meter=1_000 + USED_WH,
            charger_at=self.plugged_in_at + MINUTE,
        )

    def work(self, database: Database) -> None:
        database.perform(
            lambda session: enqueue(session, "payments.reconcile", now=utc_now())
        )
        handlers = job_handlers(self.settings, database)
        while run_next(database, handlers, now=utc_now()):
            pass


@dataclass(frozen=True)
class OfABooking(Story):
    user_id: int
    booking_id: UUID
    reference: str

    def begin_to_pay(self, database: Database) -> Payment:
        def begin(session):
            checkout = open_checkout(
                session,
                booking_id=self.booking_id,
                user_id=self.user_id,
                limits=LIMITS,
                now=utc_now(),
            )
            return start_payment(
                session,
                checkout_id=checkout.id,
                payer=Payer(self.user_id),
                provider="simulated",
                now=utc_now(),
            )

        return database.perform(begin)

    def charge(self, box: Box) -> ChargingSession | None:
        return box.of_booking(self.booking_id)

    def tag(self, _box: Box) -> str:
        return self.reference

    def item_id(self, _database: Database) -> UUID:
        return self.booking_id


@dataclass(frozen=True)
class OfAGuest(Story):
    guest_id: UUID

    def begin_to_pay(self, database: Database) -> Payment:
        """In the steps of the page, each of them a commit."""
        payer = Payer(guest_id=self.guest_id)
        wanted = Visit(self.guest_id, self.evse_id, 20_000)
        database.perform(lambda session: open_prepaid(session, wanted, now=utc_now()))
        checkout = database.perform(
            lambda session: ask_to_prepay(
                session, guest_id=self.guest_id, return_path="/visits/x", now=utc_now()
            )
        )
        return database.perform(
            lambda session: start_payment(
                session,
                checkout_id=checkout.id,
                payer=payer,
                provider="simulated",
                now=utc_now(),
            )
        )

    def charge(self, box: Box) -> ChargingSession | None:
        with box.database.reading() as session:
            return session_of_guest_or_none(session, self.guest_id)

    def tag(self, box: Box) -> str:
        charge = self.charge(box)
        assert charge is not None
        assert charge.status != SessionStatus.UNPAID, "it was paid"
        return charge.reference

    def item_id(self, database: Database) -> UUID:
        charge = self.charge(Box(database, self.evse_id, self.charger_id))
        assert charge is not None
        return charge.id


def be_killed(story: Story, at: int, moment: str) -> None:
    database = Database(story.url)
    commits = Counter[str]()

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(database.engine, "commit")
    def before(_connection):
        commits["n"] += 1
        if moment == "before" and commits["n"] == at:
            die()

    @event.listens_for(database.engine, "checkin")
    def after(_connection, _record):
        if moment == "after" and commits["n"] >= at:
            die()

    story.tell(database)


@pytest.fixture(params=[OfABooking, OfAGuest])
def new_story(request, database, tmp_path):
    with database.transaction() as session:
        a_registration(session, state="Karnataka")
        a_tariff(session, terms=per_kwh(2_000))

    def new() -> Story:
        box = a_box(database).connect(at=utc_now())
        about = (
            database.engine.url.render_as_string(hide_password=False),
            str(tmp_path),
            box.evse_id,
            box.charger_id,
            utc_now(),
        )
        if request.param is OfAGuest:
            return OfAGuest(*about, uuid4())
        return OfABooking(*about, *booked_now(database, box))

    return new


def booked_now(database: Database, box: Box) -> tuple[int, UUID, str]:
    with database.transaction() as session:
        user_id = make.a_user(session).id
    desk = Desk(database, user_id, box.evse_id)
    quarter = int(utc_now().timestamp()) // 900 * 900
    starts_at = datetime.fromtimestamp(quarter, UTC)
    booking = desk.book(Slot(starts_at, starts_at + timedelta(hours=1)), now=utc_now())
    return user_id, booking.id, booking.reference


@pytest.mark.parametrize("moment", ["before", "after"])
def test_wherever_it_is_killed_the_money_ends_up_where_it_belongs(
    database, new_story, moment
):
    """One kill for each commit of the story, until a child gets through it alive."""
    for at in range(1, 200):
        story = new_story()
        child = PROCESSES.Process(target=be_killed, args=(story, at, moment))
        child.start()
        child.join(60)
        if child.exitcode == 0:
            assert at > 10, "the story is too short to be true"
            break
        assert child.exitcode == -signal.SIGKILL

        release_leases(database)
        story.tell(database)

        check(database, story, f"killed {moment} commit {at}")
    else:
        pytest.fail("the story never ends")


def check(database: Database, story: Story, when: str) -> None:
    item_id = story.item_id(database)
    with database.reading() as session:
        bill = session.scalars(select(Bill).where(Bill.item_id == item_id))
        assert [each.total_paise for each in bill] == [TOTAL], when
        paid = session.scalar(
            select(func.sum(Payment.amount_paise)).where(
                Payment.checkout.has(Checkout.items.any(item_id=item_id)),
                Payment.status.in_(COLLECTED),
            )
        )
        back = session.scalars(select(Refund).where(Refund.item_id == item_id)).all()
        assert sum(refund.amount_paise for refund in back) == paid - TOTAL, when
        assert {refund.status.value for refund in back} == {"DONE"}, when
        papers = session.scalars(
            select(TaxDocument.kind).where(TaxDocument.item_id == item_id)
        )
        counted = Counter(kind.value for kind in papers)
        assert counted["tax_invoice"] == 1, when
        assert counted["receipt_voucher"] == counted["refund_voucher"] == 1, when
        assert discrepancies(session) == [], when
