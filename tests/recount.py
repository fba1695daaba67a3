"""Small random histories, and every number of the console counted again by hand."""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

import make
from evcharge.accounts.models import Operator, User
from evcharge.bookings.models import Booking, MaintenanceBlock
from evcharge.bookings.rules import BookingPayment, BookingStatus
from evcharge.finance.jobs import backfill
from evcharge.kernel.db import Database
from evcharge.kernel.ids import new_id
from evcharge.payments.models import Checkout, CheckoutItem, Payment, Refund
from evcharge.payments.rules import COLLECTED, ItemKind, PaymentStatus, RefundStatus
from evcharge.stations.models import Evse
from evcharge.stations.rules import Lifecycle
from evcharge.web.formats import INDIA

# 17:40 in India, so that yesterday there is not yesterday in UTC.
NOW = datetime.fromisoformat("2026-03-12T12:10:30+00:00")
QUARTER = timedelta(minutes=15)
FILLING = {BookingStatus.ACTIVE, BookingStatus.COMPLETED, BookingStatus.NO_SHOW}


@dataclass
class History:
    """Everything that happened, as plain rows to count over."""

    operators: list[Operator] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    evses: list[tuple[Evse, int, datetime, bool]] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)
    blocks: list[MaintenanceBlock] = field(default_factory=list)
    payments: list[tuple[Payment, UUID]] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)

    def operator_of(self, evse_id: int) -> int:
        return next(owner for evse, owner, _, _ in self.evses if evse.id == evse_id)

    def is_theirs(self, booking_id: UUID, scope: frozenset[int] | None) -> bool:
        found = next(each for each in self.bookings if each.id == booking_id)
        return scope is None or self.operator_of(found.evse_id) in scope

    # ── the numbers, by hand ─────────────────────────────────────────────────────

    def users_between(self, since: datetime, until: datetime) -> int:
        return sum(
            since <= user.created_at < until and user.status != "deleted"
            for user in self.users
        )

    def bookings_between(self, scope, since: datetime, until: datetime) -> int:
        return sum(
            since <= each.created_at < until
            and each.hold_expires_at is None
            and each.status != BookingStatus.EXPIRED
            and self.is_theirs(each.id, scope)
            for each in self.bookings
        )

    def revenue_between(self, scope, since: datetime, until: datetime) -> int:
        came_in = sum(
            payment.amount_paise
            for payment, booking_id in self.payments
            if payment.status in COLLECTED
            and since <= payment.paid_at < until
            and self.is_theirs(booking_id, scope)
        )
        went_back = sum(
            refund.amount_paise
            for refund in self.refunds
            if since <= refund.created_at < until
            and self.is_theirs(refund.item_id, scope)
        )
        return came_in - went_back

    def usage_between(self, scope, since: datetime, until: datetime):
        """Return booked and offered quarter hours by (weekday, hour) in India."""
        found: dict[tuple[int, int], list[int]] = {}
        mine = [
            (created_at, self._filling(evse.id), self._blocking(evse.id))
            for evse, owner, created_at, is_open in self.evses
            if is_open
            and evse.lifecycle == Lifecycle.ACTIVE
            and (scope is None or owner in scope)
        ]
        at = since
        while at + QUARTER <= until:
            local = at.astimezone(INDIA)
            counts = found.setdefault((local.weekday(), local.hour), [0, 0])
            for created_at, bookings, blocks in mine:
                # The charger counts from the quarter hour in which it came.
                is_there = at + QUARTER > created_at
                is_out = any(start <= at < end for start, end in blocks)
                counts[0] += sum(start <= at < end for start, end in bookings)
                counts[1] += is_there and not is_out
            at += QUARTER
        return found

    def _filling(self, evse_id: int) -> list[tuple[datetime, datetime]]:
        return [
            (each.starts_at, each.ends_at)
            for each in self.bookings
            if each.evse_id == evse_id
            and each.status in FILLING
            and each.payment_status == BookingPayment.PAID
        ]

    def _blocking(self, evse_id: int) -> list[tuple[datetime, datetime]]:
        """A quarter hour in which a block was lifted is on offer again."""
        return [
            (each.starts_at, _on_grid(each.lifted_at or each.ends_at))
            for each in self.blocks
            if each.evse_id == evse_id
        ]


def share_of(usage) -> float:
    booked = sum(each[0] for each in usage.values())
    offered = sum(each[1] for each in usage.values())
    return booked / offered if offered else 0.0


def midnight(days_ago: int) -> datetime:
    today = NOW.astimezone(INDIA).date() - timedelta(days=days_ago)
    return datetime(today.year, today.month, today.day, tzinfo=INDIA)


def local_day(at: datetime) -> date:
    return at.astimezone(INDIA).date()


# ── making one up ────────────────────────────────────────────────────────────────


def a_history(database: Database, seed: int, *, size: int = 60) -> History:
    rng = random.Random(seed)  # noqa: S311 - the same history every time.
    history = History()
    with database.transaction() as session:
        _people(session, rng, history)
        _stations(session, rng, history)
        for _ in range(size):
            _booking(session, rng, history)
        _blocks(session, rng, history)
        session.flush()
        session.expunge_all()
    backfill(database, until=NOW.isoformat(), renew=lambda *_, **__: None)
    return history


def _people(session, rng, history):
    for status in ("active", "active", "active", "suspended", "deleted"):
        at = _moment(rng, days=90)
        user = make.a_user(session, created_at=at, status=status)
        history.users.append(user)


def _stations(session, rng, history):
    for name in ("One", "Two", "None of theirs"):
        operator = make.an_operator(session, name)
        history.operators.append(operator)
        for _ in range(2):
            is_open = rng.random() > 0.2
            site = make.a_location(session, operator=operator, is_active=is_open)
            for _ in range(2):
                created_at = NOW - timedelta(days=rng.choice([400, 400, 20, 5]))
                lifecycle = rng.choice([Lifecycle.ACTIVE] * 5 + list(Lifecycle))
                evse = make.an_evse(session, location=site, lifecycle=lifecycle)
                evse.charger.created_at = created_at
                history.evses.append((evse, operator.id, created_at, is_open))
    session.flush()


def _moment(rng, *, days):
    """Some whole second, now and then near midnight in India."""
    if rng.random() < 0.3:
        edge = midnight(rng.randrange(days))
        return _utc(edge + timedelta(seconds=rng.choice([-1, 0, 1, 3600])))
    return NOW - timedelta(seconds=rng.randrange(1, days * 86_400))


def _utc(at):
    return min(at, NOW - timedelta(seconds=1)).astimezone(NOW.tzinfo)


def _booking(session, rng, history):
    evse, *_ = rng.choice(history.evses)
    user = rng.choice(history.users)
    starts_at = _on_grid(NOW - timedelta(minutes=rng.randrange(-5_000, 90 * 1440)))
    created_at = _moment(rng, days=70)
    kind = rng.choice(["hold", "lapsed", "paid", "paid", "paid", "free", "owing"])
    booking = Booking(
        id=new_id(),
        reference=f"EV-{len(history.bookings):06}",
        user_id=user.id,
        evse_id=evse.id,
        starts_at=starts_at,
        ends_at=starts_at + rng.choice([1, 2, 4, 6, 32]) * QUARTER,
        status=BookingStatus.EXPIRED
        if kind == "lapsed"
        else rng.choice([BookingStatus.ACTIVE] * 3 + list(BookingStatus)),
        payment_status=BookingPayment.PAID
        if kind in ("paid", "free")
        else BookingPayment.PENDING,
        amount_paise=rng.randrange(1, 100_000),
        price_paise_per_hour=100,
        free_until_minutes=60,
        late_percent=50,
        hold_expires_at=NOW + QUARTER if kind in ("hold", "lapsed") else None,
        request_hash="",
        created_at=created_at,
    )
    session.add(booking)
    history.bookings.append(booking)
    if kind in ("paid", "owing", "lapsed"):
        _payment(session, rng, history, booking)


def _payment(session, rng, history, booking):
    at = _moment(rng, days=70)
    checkout = Checkout(
        id=new_id(),
        user_id=booking.user_id,
        amount_paise=booking.amount_paise,
        description="",
        return_path="/",
        expires_at=at,
        created_at=at,
    )
    status = rng.choice([PaymentStatus.PAID] * 3 + list(PaymentStatus))
    payment = Payment(
        id=new_id(),
        checkout_id=checkout.id,
        provider="simulated",
        provider_ref=str(new_id()),
        status=status,
        amount_paise=booking.amount_paise,
        method="upi",
        created_at=at,
        paid_at=at if status in COLLECTED else None,
    )
    item = CheckoutItem(
        checkout_id=checkout.id,
        kind=ItemKind.BOOKING,
        item_id=booking.id,
        amount_paise=booking.amount_paise,
    )
    session.add(checkout)
    session.flush()
    session.add_all([item, payment])
    session.flush()
    history.payments.append((payment, booking.id))
    if status in (PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED):
        refund = Refund(
            id=new_id(),
            payment_id=payment.id,
            kind=ItemKind.BOOKING,
            item_id=booking.id,
            amount_paise=rng.randrange(1, booking.amount_paise + 1),
            reason="Plans changed",
            status=rng.choice(list(RefundStatus)),
            created_at=_moment(rng, days=40),
        )
        session.add(refund)
        history.refunds.append(refund)


def _blocks(session, rng, history):
    # One for each EVSE at most: claims keep two blocks from overlapping.
    for evse, _, created_at, _ in rng.sample(history.evses, 4):
        there_for = min(timedelta(days=60), NOW - created_at)
        starts_at = _on_grid(NOW - rng.random() * there_for) + QUARTER
        ends_at = starts_at + rng.randrange(1, 96) * QUARTER
        lifted_at = starts_at + rng.randrange(0, 96) * QUARTER + QUARTER / 3
        block = MaintenanceBlock(
            id=new_id(),
            evse_id=evse.id,
            starts_at=starts_at,
            ends_at=ends_at,
            reason="New cable",
            created_by=history.users[0].id,
            created_at=starts_at,
            lifted_at=rng.choice([None, lifted_at if lifted_at < ends_at else None]),
        )
        session.add(block)
        history.blocks.append(block)


def _on_grid(at: datetime) -> datetime:
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
