from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import select

import make
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.ids import new_id
from evcharge.kernel.jobs import Job, enqueue, run_next
from evcharge.kernel.settings import Settings
from evcharge.payments import jobs
from evcharge.payments.models import Payment, Refund
from evcharge.payments.providers import Providers
from evcharge.payments.providers.base import Order
from evcharge.payments.providers.simulated import SIGNATURE_HEADER, Simulated
from evcharge.payments.queries import paid_for_item
from evcharge.payments.rules import Item, ItemKind, Outcome, Payer, PaymentStatus
from evcharge.payments.service import (
    open_checkout,
    open_due,
    receive_message,
    record_outcome,
    refund_item,
    start_payment,
)

PRICE = make.PRICE_PAISE
BOOKING = ItemKind.BOOKING


def remember(session, *, item_id, amount_paise, payment_id, now):
    """Be told that money came in. As a row, so that a rolled-back call leaves none."""
    enqueue(session, "told", now=now, item_id=str(item_id), amount_paise=amount_paise)


class Shop:
    """Sells one thing to one person, through the simulated gateway."""

    def __init__(self, database: Database, secret: SecretStr, user_id: int) -> None:
        self.database = database
        self.user_id = user_id
        self.item_id = new_id()
        self.on_paid: dict[ItemKind, Any] = {BOOKING: remember}
        self.now = utc_now()
        self.gateway = Simulated(database, secret, clock=lambda: self.now)
        self.providers = Providers(self.gateway)

    def checkout(self, *items: Item, **given: Any) -> UUID:
        defaults = {
            "user_id": self.user_id,
            "items": items or [Item(BOOKING, self.item_id, PRICE)],
            "description": "Booking EV-7K3M9Q",
            "return_path": f"/bookings/{self.item_id}",
            "expires_at": self.now + timedelta(minutes=16),
            "now": self.now,
        }
        with self.database.transaction() as session:
            return open_checkout(session, **(defaults | given)).id

    def payment(self, checkout_id: UUID | None = None, **given: Any) -> Payment:
        defaults = {
            "checkout_id": checkout_id or self.checkout(),
            "payer": Payer(self.user_id),
            "provider": "simulated",
            "now": self.now,
        }
        with self.database.transaction() as session:
            return start_payment(session, **(defaults | given))

    def order(self, payment: Payment, **given: Any) -> str:
        defaults = {
            "ref": payment.provider_ref,
            "amount_paise": payment.amount_paise,
            "description": "Booking EV-7K3M9Q",
            "return_path": f"/payments/{payment.id}/return",
            "expires_at": self.now + timedelta(minutes=16),
        }
        return self.gateway.open_order(Order(**(defaults | given)))

    def ordered(self) -> Payment:
        """An attempt that is open at the gateway."""
        payment = self.payment()
        self.order(payment)
        return payment

    def hear(
        self, payment: Payment, status: str = "PAID", **given: Any
    ) -> PaymentStatus:
        defaults = {
            "ref": payment.provider_ref,
            "status": PaymentStatus(status),
            "amount_paise": payment.amount_paise,
            "method": "upi",
        }
        return self.database.perform(
            lambda session: record_outcome(
                session,
                provider=payment.provider,
                outcome=Outcome(**(defaults | given)),
                on_paid=self.on_paid,
                now=self.now,
            )
        ).status

    def deliver(self, body: str) -> None:
        """Call the shop's webhook, as far as it is not HTTP."""
        raw = body.encode()
        message = self.gateway.read_message(
            raw, {SIGNATURE_HEADER: self.gateway.sign(raw)}
        )
        self.database.perform(
            lambda session: receive_message(
                session,
                provider="simulated",
                message=message,
                on_paid=self.on_paid,
                now=self.now,
            )
        )

    def paid(self, **given: Any) -> Payment:
        """An attempt that went through, here and at the gateway."""
        payment = self.payment(**given)
        self.order(payment)
        self.gateway.choose(payment.provider_ref, "pay", "upi")
        self.hear(payment)
        return payment

    def refund(self, amount_paise: int = PRICE) -> list[int]:
        refunds = self.database.perform(
            lambda session: refund_item(
                session,
                kind=BOOKING,
                item_id=self.item_id,
                amount_paise=amount_paise,
                reason="Cancelled",
                now=self.now,
            )
        )
        return [refund.amount_paise for refund in refunds]

    # What is stored.

    def read(self, payment: Payment) -> Payment:
        with self.database.reading() as session:
            return session.get_one(Payment, payment.id)

    def status(self, payment: Payment) -> str:
        return self.read(payment).status.value

    def refunds(self) -> list[Refund]:
        with self.database.reading() as session:
            return list(session.scalars(select(Refund).order_by(Refund.id)))

    def collected(self) -> int:
        with self.database.reading() as session:
            return paid_for_item(session, BOOKING, self.item_id)

    def told(self) -> list[int]:
        """How much the seller was told of, call by call."""
        return [job.details["amount_paise"] for job in self.jobs("told")]

    def jobs(self, name: str) -> list[Job]:
        with self.database.reading() as session:
            return list(session.scalars(select(Job).where(Job.name == name)))

    def work(self, *, at: datetime | None = None) -> None:
        """Run the jobs of payments that are due, with their retries."""
        handlers: dict[str, Callable[..., None]] = {
            "told": lambda database, **_: None,
            "invoices.receipt": lambda database, **_: None,
            "invoices.refund_paper": lambda database, **_: None,
            "billing.credit": lambda database, **_: None,
            "payments.send_refund": partial(jobs.send_refund, providers=self.providers),
            "payments.deliver_simulated": partial(
                jobs.deliver_simulated, gateway=self.gateway, on_paid=self.on_paid
            ),
        }
        while run_next(self.database, handlers, now=at or utc_now()):
            pass

    def reconcile(self) -> None:
        jobs.reconcile(self.database, providers=self.providers, on_paid=self.on_paid)


@pytest.fixture
def shop(database: Database, new_settings: Callable[..., Settings]) -> Shop:
    with database.transaction() as session:
        user_id = make.a_user(session).id
    return Shop(database, new_settings().secret_key, user_id)


@pytest.fixture
def due(shop):
    with shop.database.transaction() as session:
        return open_due(
            session,
            payer=Payer(shop.user_id),
            item_kind=ItemKind.BOOKING,
            item_id=shop.item_id,
            reference="EV-7K3M9Q",
            location_id=make.a_location(session).id,
            amount_paise=4_200,
            reason="You used more than you paid for",
            now=shop.now,
        )
