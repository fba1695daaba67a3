"""Paying in a browser: off to the provider, back again, and what it tells us itself."""

import logging
from datetime import timedelta
from uuid import UUID

from flask import (
    Blueprint,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import DomainError, Unavailable
from evcharge.kernel.metrics import FORGED_MESSAGES, UNKNOWN_MESSAGES
from evcharge.payments.models import Due, Payment
from evcharge.payments.paying import (
    GUEST_PAYMENT,
    begin_payment,
    on_paid,
    providers,
    record,
)
from evcharge.payments.providers.base import ASK
from evcharge.payments.queries import (
    dues_of_user,
    payment_by_id,
    payment_of,
    payment_with_refunds,
)
from evcharge.payments.rules import (
    MAY_BECOME_PAID,
    CheckoutOver,
    DueOver,
    ForgedMessage,
    ItemKind,
    NothingToPay,
    Outcome,
    Payer,
    PaymentStatus,
)
from evcharge.payments.service import (
    ask_for_due,
    receive_message,
)
from evcharge.web.context import (
    current_user,
    login_required,
    perform,
    public,
    reading,
    settings,
)
from evcharge.web.errors import http_status
from evcharge.web.formats import rupees
from evcharge.web.links import read as read_link

log = logging.getLogger(__name__)

pages = Blueprint("payments", __name__, template_folder="templates")
# Apart from the pages, because providers have no CSRF token to send.
webhooks = Blueprint("webhooks", __name__)

LONGEST_MESSAGE = 65_536
# While the bank is likely to answer any moment, and after that.
PATIENCE = timedelta(minutes=2)
LOOK_AGAIN_SECONDS, LOOK_RARELY_SECONDS = 3, 15


@pages.get("/payments/<uuid:payment_id>/return")
@login_required
def come_back(payment_id: UUID) -> ResponseReturnValue:
    """Where the payer's browser lands. It may know the outcome before we do."""
    return _come_back(payment_of(reading(), payment_id, Payer(current_user().id)))


@pages.get("/guest-payments/<token>/return")
@public
def guest_comes_back(token: str) -> ResponseReturnValue:
    payment = payment_by_id(reading(), read_link(GUEST_PAYMENT, token))
    return _come_back(payment)


def _come_back(payment: Payment) -> ResponseReturnValue:
    return_path = payment.checkout.return_path
    if (outcome := _carried(payment)) is not None:
        payment = record(payment, outcome)
    if payment.status == PaymentStatus.PENDING:
        return _wait(payment, return_path)
    flash(*_said(payment))
    return redirect(return_path, code=303)


def _carried(payment: Payment) -> Outcome | None:
    provider = providers().named(payment.provider)
    try:
        said = provider.read_return(payment.provider_ref, request.args)
        if said != ASK:
            return said
        is_news = payment.status in MAY_BECOME_PAID
        return provider.ask(payment.provider_ref) if is_news else None
    except ForgedMessage:
        # Perhaps an address cut short on its way: show the payer how things stand.
        _count_forged(provider.name, "return address")
        return None
    except Unavailable:
        return None  # The webhook or the reconciler will know.


def _count_forged(name: str, what: str) -> None:
    FORGED_MESSAGES.labels(name).inc()
    log.warning("a forged %s in the name of %s was refused", what, name)


def _wait(payment: Payment, return_path: str) -> ResponseReturnValue:
    response = make_response(
        render_template("payments/wait.html", payment=payment, return_path=return_path)
    )
    is_early = utc_now() - payment.created_at < PATIENCE
    # A header, because assistive tools dislike the same thing as a meta element.
    seconds = LOOK_AGAIN_SECONDS if is_early else LOOK_RARELY_SECONDS
    response.headers["Refresh"] = f"{seconds}; url={request.path}"
    return response


def _said(payment: Payment) -> tuple[str, str]:
    """Return what to tell the payer, and in which tone."""
    if payment.status == PaymentStatus.PAID:
        return f"You paid {rupees(payment.amount_paise)}.", "success"
    if payment.status == PaymentStatus.FAILED:
        return "Payment did not go through. No money was taken.", "danger"
    if payment.status == PaymentStatus.CANCELLED:
        return "You left without paying. No money was taken.", "warning"
    back = rupees(payment.refunded_paise)
    return f"Your payment came in, and {back} of it goes back to you.", "warning"


@pages.get("/payments/<uuid:payment_id>")
@login_required
def show_payment(payment_id: UUID) -> ResponseReturnValue:
    """A payment, and how far what goes back of it is."""
    payment = payment_with_refunds(reading(), payment_id, Payer(current_user().id))
    return render_template("payments/payment.html", payment=payment)


# ── what is still owed ───────────────────────────────────────────────────────────


@pages.get("/dues")
@login_required
def dues() -> ResponseReturnValue:
    return render_template(
        "payments/dues.html",
        dues=dues_of_user(reading(), current_user().id),
        address_of=_address_of,
        due_days=settings().due_days,
    )


def _address_of(due: Due) -> str:
    """Return where to read what was supplied."""
    if due.item_kind == ItemKind.BOOKING:
        return url_for("bookings.show_booking", booking_id=due.item_id)
    return url_for("charging.show_session", session_id=due.item_id)


@pages.post("/dues/<uuid:due_id>/pay")
@login_required
def pay_due(due_id: UUID) -> ResponseReturnValue:
    user_id, now = current_user().id, utc_now()

    def ask(session: Session) -> UUID:
        return ask_for_due(
            session,
            due_id=due_id,
            payer=Payer(user_id),
            return_path=url_for(".dues"),
            now=now,
        ).id

    try:
        _payment, address = begin_payment(perform(ask), user_id)
    except (DueOver, NothingToPay, CheckoutOver) as refusal:
        flash(refusal.message, "warning")
        return redirect(url_for(".dues"), code=303)
    return redirect(address, code=303)


@webhooks.post("/webhooks/<name>")
@public
def receive(name: str) -> ResponseReturnValue:
    request.max_content_length = LONGEST_MESSAGE
    try:
        message = (
            providers()
            .named(name)
            .read_message(request.get_data(), dict(request.headers))
        )
        perform(
            lambda session: receive_message(
                session,
                provider=name,
                message=message,
                on_paid=on_paid(),
                now=utc_now(),
            ),
            repeatable=True,
        )
    except RequestEntityTooLarge:
        return {"code": "too_large", "message": "Send at most 64 kB."}, 413
    except DomainError as error:
        if isinstance(error, ForgedMessage):
            _count_forged(name, "webhook")
        return {"code": error.code, "message": error.message}, http_status(error)
    if message.outcome is None and message.refund is None:
        UNKNOWN_MESSAGES.labels(name).inc()
    return {"received": message.event_id}
