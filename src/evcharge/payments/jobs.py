"""Money that moves later or again: refunds, missed webhooks, the simulated gateway."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.errors import Unavailable
from evcharge.payments.models import Payment, Refund
from evcharge.payments.providers import Providers
from evcharge.payments.providers.simulated import SIGNATURE_HEADER, Simulated
from evcharge.payments.queries import payments_to_ask_about, refunds_to_ask_about
from evcharge.payments.rules import (
    CLOSE_AFTER,
    Outcome,
    PaymentStatus,
    ProviderNotFound,
    RefundRefused,
)
from evcharge.payments.service import (
    ToldWhenPaid,
    begin_sending_refund,
    fail_refund,
    mark_asked,
    mark_refunds_asked,
    receive_message,
    record_outcome,
    record_refund_news,
)

log = logging.getLogger(__name__)

# Well within the lease of a job; the rest is asked about in the next minute.
ASKING_TIME = timedelta(seconds=30)
MOST_ASKED = 100


def send_refund(database: Database, *, providers: Providers, refund_id: str) -> None:
    """Send one refund. If a try died half way, the next repeats it by the same id."""
    refund_uuid = UUID(refund_id)
    begun = database.perform(
        lambda session: begin_sending_refund(session, refund_uuid, now=utc_now())
    )
    if begun is None:
        return
    refund, payment = begun
    try:
        news = providers.named(payment.provider).refund(
            payment.provider_ref,
            refund_id=refund_uuid,
            amount_paise=refund.amount_paise,
        )
    except RefundRefused as error:
        failure = error.message
        database.perform(
            lambda session: fail_refund(session, refund_uuid, failure=failure)
        )
        return
    database.perform(
        lambda session: record_refund_news(session, news, now=utc_now()),
        repeatable=True,
    )


def reconcile(
    database: Database, *, providers: Providers, on_paid: ToldWhenPaid
) -> None:
    """Ask providers about attempts of which we should have heard by now."""
    now = utc_now()
    with database.reading() as session:
        overdue = payments_to_ask_about(session, now=now, limit=MOST_ASKED)
    if not overdue:
        return
    # Before asking: one that makes us stumble must not stand first in line again.
    ids = [payment.id for payment in overdue]
    database.perform(lambda session: mark_asked(session, ids, now=now))
    for payment in overdue:
        if utc_now() - now > ASKING_TIME:
            return
        _reconcile_one(database, payment, providers, on_paid)


def reconcile_refunds(database: Database, *, providers: Providers) -> None:
    """Ask providers about refunds of which we should have heard by now."""
    now = utc_now()
    with database.reading() as session:
        overdue = refunds_to_ask_about(session, now=now, limit=MOST_ASKED)
    if not overdue:
        return
    ids = [refund.id for refund in overdue]
    database.perform(lambda session: mark_refunds_asked(session, ids, now=now))
    for refund in overdue:
        if utc_now() - now > ASKING_TIME:
            return
        _reconcile_refund(database, refund, providers)


def _reconcile_refund(database: Database, refund: Refund, providers: Providers) -> None:
    payment = refund.payment
    try:
        provider = providers.named(payment.provider)
        news = provider.ask_refund(payment.provider_ref, refund.id)
    except (Unavailable, ProviderNotFound) as error:
        log.warning("no news of refund %s: %s", refund.id, error)
        return
    if news is not None:
        database.perform(
            lambda session: record_refund_news(session, news, now=utc_now()),
            repeatable=True,
        )


def _reconcile_one(
    database: Database, payment: Payment, providers: Providers, on_paid: ToldWhenPaid
) -> None:
    try:
        outcome = _news_of(payment, providers, now=utc_now())
    except (Unavailable, ProviderNotFound) as error:
        log.warning("no news of payment %s: %s", payment.id, error)
        return
    if outcome is None or outcome.status == payment.status:
        return
    database.perform(
        lambda session: record_outcome(
            session,
            provider=payment.provider,
            outcome=outcome,
            on_paid=on_paid,
            now=utc_now(),
        ),
        repeatable=True,
    )


def _news_of(
    payment: Payment, providers: Providers, *, now: datetime
) -> Outcome | None:
    provider = providers.named(payment.provider)
    outcome = provider.ask(payment.provider_ref)
    is_open = outcome is None or outcome.status == PaymentStatus.PENDING
    is_ours_open = payment.status == PaymentStatus.PENDING
    if not (is_open and is_ours_open and _is_long_over(payment, now=now)):
        return outcome
    return provider.close_order(payment.provider_ref) or _never_opened(payment)


def _is_long_over(payment: Payment, *, now: datetime) -> bool:
    return now >= payment.checkout.expires_at + CLOSE_AFTER


def _never_opened(payment: Payment) -> Outcome:
    """The program died between writing the attempt and opening it at the provider."""
    return Outcome(payment.provider_ref, PaymentStatus.CANCELLED, payment.amount_paise)


def deliver_simulated(
    database: Database, *, gateway: Simulated, on_paid: ToldWhenPaid, body: str
) -> None:
    """Be the simulated gateway that calls the shop's webhook, signature and all."""
    raw = body.encode()
    message = gateway.read_message(raw, {SIGNATURE_HEADER: gateway.sign(raw)})
    database.perform(
        lambda session: receive_message(
            session,
            provider=gateway.name,
            message=message,
            on_paid=on_paid,
            now=utc_now(),
        ),
        repeatable=True,
    )
