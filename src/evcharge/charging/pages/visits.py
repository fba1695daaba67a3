"""A charge of somebody without an account: their page, which is its link."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from evcharge.bookings.rules import Actor, ActorKind
from evcharge.charging.figures import lasting
from evcharge.charging.models import ChargingSession
from evcharge.charging.pages.blueprint import ASKING, VISITING, pages
from evcharge.charging.pages.view import View, view_of_charge
from evcharge.charging.queries import session_of_guest
from evcharge.charging.rules import (
    PLUG_IN_WITHIN,
    SessionNotActive,
    SessionStatus,
)
from evcharge.charging.service import ask_to_prepay, ask_to_stop, ask_to_unlock
from evcharge.control.rules import ChargerNotConnected
from evcharge.invoices.models import TaxDocument
from evcharge.invoices.queries import documents_of
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import Unavailable
from evcharge.kernel.topics import sign_topics
from evcharge.payments.models import Due, Payment, Refund
from evcharge.payments.paying import begin_payment
from evcharge.payments.queries import (
    due_of_item,
    payments_of_item,
    refunds_of_item,
)
from evcharge.payments.rules import (
    COLLECTED,
    CheckoutOver,
    DueOver,
    ItemKind,
    NothingToPay,
    Payer,
    PaymentStatus,
)
from evcharge.payments.service import ask_for_due
from evcharge.web.context import perform, public, reading, settings
from evcharge.web.links import read as read_link
from evcharge.web.links import sign
from evcharge.web.shell import limiter

VISIT = "visit"
STEPS = ("Paid", "Plug in", "Charging", "Done")
# Until then the bill, what goes back and the invoice are likely to come.
STILL_SETTLING = timedelta(minutes=10)
_STEP = {
    SessionStatus.UNPAID: 0,
    SessionStatus.PENDING: 1,
    SessionStatus.ACTIVE: 2,
    SessionStatus.COMPLETED: len(STEPS),
}


@dataclass(frozen=True)
class Money:
    """What was paid for a visit, what goes back, and what is still owed."""

    payments: Sequence[Payment]
    refunds: Sequence[Refund]
    due: Due | None
    documents: Sequence[TaxDocument]

    @property
    def paid(self) -> list[Payment]:
        return [each for each in self.payments if each.status in COLLECTED]

    @property
    def is_on_its_way(self) -> bool:
        """Whether a bank may still be about to answer."""
        return any(each.status == PaymentStatus.PENDING for each in self.payments)

    @property
    def back_paise(self) -> int:
        return sum(refund.amount_paise for refund in self.refunds)

    @property
    def owed(self) -> Due | None:
        return self.due if self.due and self.due.is_open else None


def visit_token(guest_id: UUID) -> str:
    return sign(VISIT, guest_id)


def _address(guest_id: UUID) -> str:
    return url_for("charging.visit", token=visit_token(guest_id))


def go_and_pay(guest_id: UUID) -> ResponseReturnValue:
    """Lead a guest to where they pay, or to their page where that cannot be."""
    now, own = utc_now(), _address(guest_id)

    def ask(session: Session) -> UUID:
        checkout = ask_to_prepay(session, guest_id=guest_id, return_path=own, now=now)
        return checkout.id

    return _pay(ask, guest_id)


def _pay(ask: Callable[[Session], UUID], guest_id: UUID) -> ResponseReturnValue:
    try:
        _payment, address = begin_payment(perform(ask), guest_id=guest_id)
    except (NothingToPay, CheckoutOver, DueOver) as refusal:
        flash(refusal.message, "warning")
        address = _address(guest_id)
    except Unavailable:
        flash("The payment provider does not answer. Try again in a moment.", "danger")
        address = _address(guest_id)
    return redirect(address, code=303)


@pages.get("/visits/<token>")
@public
def visit(token: str) -> ResponseReturnValue:
    now = utc_now()
    charge = session_of_guest(reading(), read_link(VISIT, token))
    view = view_of_charge(reading(), charge, user_id=None, now=now)
    topics = [f"session:{charge.id}", f"evse:{charge.evse_id}"]
    part = "_visit.html" if "fragment" in request.args else "visit.html"
    return render_template(
        f"charging/{part}",
        token=token,
        view=view,
        money=_money(charge),
        step=_STEP.get(charge.status),
        step_labels=STEPS,
        plug_in_by=charge.paid_at + PLUG_IN_WITHIN if charge.paid_at else None,
        plug_in_seconds=PLUG_IN_WITHIN.total_seconds(),
        is_settled=_is_settled(view),
        urls=_urls(token),
        topics=topics,
        live_token=sign_topics(settings().secret_key, topics, None),
    )


def _money(charge: ChargingSession) -> Money:
    kind = ItemKind.SESSION
    return Money(
        payments_of_item(reading(), kind, charge.id),
        refunds_of_item(reading(), kind, charge.id),
        due_of_item(reading(), kind, charge.id),
        documents_of(reading(), kind, charge.id),
    )


def _is_settled(view: View) -> bool:
    """Whether nothing more will happen by itself that one could wait for."""
    is_over = view.charge.status in (SessionStatus.COMPLETED, SessionStatus.INVALID)
    ended_at = view.charge.ended_at or view.charge.created_at
    return is_over and view.now - ended_at > STILL_SETTLING


def _urls(token: str) -> dict[str, str]:
    """What is shared with pages of drivers leads to a guest's own addresses."""
    return {
        "own": url_for(".visit", token=token),
        "stop": url_for(".stop_visit", token=token),
        "confirm": url_for(".confirm_stopping_visit", token=token),
        "unlock": url_for(".unlock_visit", token=token),
    }


@pages.post("/visits/<token>/pay")
@public
@limiter.limit(VISITING)
def pay_visit(token: str) -> ResponseReturnValue:
    return go_and_pay(read_link(VISIT, token))


@pages.post("/visits/<token>/dues/pay")
@public
@limiter.limit(VISITING)
def pay_due_of_visit(token: str) -> ResponseReturnValue:
    guest_id, now = read_link(VISIT, token), utc_now()
    charge = session_of_guest(reading(), guest_id)
    due = due_of_item(reading(), ItemKind.SESSION, charge.id)
    if due is None:
        return _back(token)
    payer, due_id, own = Payer(guest_id=guest_id), due.id, _address(guest_id)

    def ask(session: Session) -> UUID:
        checkout = ask_for_due(
            session, due_id=due_id, payer=payer, return_path=own, now=now
        )
        return checkout.id

    return _pay(ask, guest_id)


@pages.get("/visits/<token>/stop")
@public
def confirm_stopping_visit(token: str) -> ResponseReturnValue:
    charge = session_of_guest(reading(), read_link(VISIT, token))
    if charge.status != SessionStatus.ACTIVE:
        return _back(token)
    lasts = lasting(charge, now=utc_now())
    return render_template(
        "charging/stop.html", charge=charge, lasts=lasts, urls=_urls(token)
    )


@pages.post("/visits/<token>/stop")
@public
@limiter.limit(ASKING)
def stop_visit(token: str) -> ResponseReturnValue:
    return _ask(token, ask_to_stop)


@pages.post("/visits/<token>/unlock")
@public
@limiter.limit(ASKING)
def unlock_visit(token: str) -> ResponseReturnValue:
    return _ask(token, ask_to_unlock)


def _ask(token: str, act: Callable[..., ChargingSession]) -> ResponseReturnValue:
    session_id = session_of_guest(reading(), read_link(VISIT, token)).id
    guest, now = Actor(ActorKind.DRIVER), utc_now()
    try:
        perform(
            lambda session: act(session, session_id=session_id, actor=guest, now=now).id
        )
    except (SessionNotActive, ChargerNotConnected) as refusal:
        flash(refusal.message, "warning")
    return _back(token)


def _back(token: str) -> ResponseReturnValue:
    return redirect(url_for(".visit", token=token), code=303)
