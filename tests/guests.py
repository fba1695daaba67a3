"""A guest at a charging point: each act in a transaction, as pages and providers do."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import raiseload

from box import Box
from evcharge.billing.models import Bill
from evcharge.charging.models import ChargingSession
from evcharge.charging.rules import Visit
from evcharge.charging.service import ask_to_prepay, open_prepaid
from evcharge.charging.service.settling import settle_session
from evcharge.invoices.service import invoice
from evcharge.payments.models import Due, Refund
from evcharge.payments.rules import ItemKind, Outcome, Payer, PaymentStatus
from evcharge.payments.service import ask_for_due, record_outcome, start_payment
from evcharge.wiring import ON_PAID
from make import NOON

RS_200 = 20_000


@dataclass
class Guest:
    """Somebody without an account before a box."""

    box: Box
    id: UUID = field(default_factory=uuid4)

    def choose(
        self, paise: int = RS_200, *, now: datetime = NOON, **who: Any
    ) -> ChargingSession:
        wanted = Visit(self.id, self.box.evse_id, paise, **who)
        return self._act(lambda session: open_prepaid(session, wanted, now=now))

    def go_to_pay(self, *, now: datetime = NOON) -> str:
        """Return the provider's name for the attempt."""

        def act(session: Any) -> str:
            checkout = ask_to_prepay(
                session, guest_id=self.id, return_path="/visits/x", now=now
            )
            return self._attempt(session, checkout.id, now)

        return self._act(act)

    def go_to_pay_due(self, due: Due, *, now: datetime = NOON) -> str:
        def act(session: Any) -> str:
            payer = Payer(guest_id=self.id)
            checkout = ask_for_due(
                session, due_id=due.id, payer=payer, return_path="/visits/x", now=now
            )
            return self._attempt(session, checkout.id, now)

        return self._act(act)

    def _attempt(self, session: Any, checkout_id: UUID, now: datetime) -> str:
        payer = Payer(guest_id=self.id)
        return str(
            start_payment(
                session,
                checkout_id=checkout_id,
                payer=payer,
                provider="simulated",
                now=now,
            ).provider_ref
        )

    def capture(self, ref: str, paise: int = RS_200, *, now: datetime = NOON) -> None:
        outcome = Outcome(ref, PaymentStatus.PAID, paise, method="upi")
        self._act(
            lambda session: record_outcome(
                session, provider="simulated", outcome=outcome, on_paid=ON_PAID, now=now
            )
        )

    def pay(self, paise: int = RS_200, *, now: datetime = NOON) -> ChargingSession:
        """Choose, and pay. Return the session as it is then."""
        self.choose(paise, now=now)
        self.capture(self.go_to_pay(now=now), paise, now=now)
        return self.charge

    def settle(self, *, now: datetime = NOON) -> Bill | None:
        """As the jobs do: the bill, and its invoice."""
        session_id = self.charge.id

        def act(session: Any) -> Bill | None:
            bill = settle_session(session, session_id, now=now)
            if bill is not None:
                invoice(session, bill.id, now=now)
            return bill

        return self._act(act)

    @property
    def charge(self) -> ChargingSession:
        with self.box.database.reading() as session:
            return session.scalars(
                select(ChargingSession)
                .where(ChargingSession.guest_id == self.id)
                .options(raiseload("*"))
            ).one()

    @property
    def refunds(self) -> list[tuple[int, str]]:
        """What goes back, and why."""
        with self.box.database.reading() as session:
            found = session.scalars(
                select(Refund)
                .where(
                    Refund.item_id == self.charge.id, Refund.kind == ItemKind.SESSION
                )
                .order_by(Refund.created_at, Refund.id)
            )
            return [(each.amount_paise, each.reason) for each in found]

    def _act(self, act: Any) -> Any:
        return self.box.database.perform(act, repeatable=True)
