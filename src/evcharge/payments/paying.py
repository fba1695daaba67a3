"""Starting to pay, in a request: what pages and programs share."""

from typing import cast
from uuid import UUID

from flask import current_app, request, url_for
from sqlalchemy.orm import Session

from evcharge.kernel.clock import utc_now
from evcharge.payments.models import Payment
from evcharge.payments.providers import Providers
from evcharge.payments.providers.base import Order
from evcharge.payments.providers.simulated import Simulated
from evcharge.payments.providers.simulated_choices import Choice
from evcharge.payments.rules import Outcome, Payer
from evcharge.payments.service import ToldWhenPaid, record_outcome, start_payment
from evcharge.web.context import perform
from evcharge.web.links import sign

GUEST_PAYMENT = "guest payment"


def providers() -> Providers:
    return cast(Providers, current_app.extensions["evcharge.providers"])


def on_paid() -> ToldWhenPaid:
    return cast(ToldWhenPaid, current_app.extensions["evcharge.on_paid"])


def begin_payment(
    checkout_id: UUID, user_id: int | None = None, *, guest_id: UUID | None = None
) -> tuple[Payment, str]:
    """Start an attempt, or go on with one. Return it and the address where to pay.

    For whoever sells something: open a checkout in a transaction, then call this.

    Raises: what `start_payment` raises; Unavailable when the provider is silent.
    """
    payer = Payer(user_id, guest_id)
    provider = providers().named(providers().default)

    def start(session: Session) -> tuple[Payment, Order]:
        payment = start_payment(
            session,
            checkout_id=checkout_id,
            payer=payer,
            provider=provider.name,
            now=utc_now(),
        )
        order = Order(
            payment.provider_ref,
            payment.amount_paise,
            payment.checkout.description,
            _way_back(payment.id, payer),
            payment.checkout.expires_at,
            request.host_url.rstrip("/"),
        )
        return payment, order

    payment, order = perform(start)
    return payment, provider.open_order(order)


def _way_back(payment_id: UUID, payer: Payer) -> str:
    """Return where the payer lands. A guest has no login: the address is signed."""
    if payer.guest_id is None:
        return url_for("payments.come_back", payment_id=payment_id)
    return url_for("payments.guest_comes_back", token=sign(GUEST_PAYMENT, payment_id))


def settle_simulated(payment: Payment, choice: Choice) -> Payment:
    """Pay, or fail to, without the page: for programs that have no browser.

    Raises: ProviderNotFound for an attempt at a real provider, OrderOver.
    """
    gateway = providers().named(Simulated.name)
    assert isinstance(gateway, Simulated)  # noqa: S101
    gateway.choose(payment.provider_ref, choice, "upi")
    outcome = gateway.ask(payment.provider_ref)
    return record(payment, outcome) if outcome else payment


def record(payment: Payment, outcome: Outcome) -> Payment:
    return perform(
        lambda session: record_outcome(
            session,
            provider=payment.provider,
            outcome=outcome,
            on_paid=on_paid(),
            now=utc_now(),
        ),
        repeatable=True,
    )
