"""One charging session: how it goes, stopping it, unlocking the plug, its receipt."""

from collections.abc import Sequence
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from evcharge.bookings.rules import Actor, ActorKind
from evcharge.charging.figures import lasting
from evcharge.charging.models import ChargingSession
from evcharge.charging.pages.blueprint import ASKING, pages
from evcharge.charging.pages.view import view_of
from evcharge.charging.queries import session_of_user
from evcharge.charging.rules import SessionNotActive, SessionStatus
from evcharge.charging.service import ask_to_stop, ask_to_unlock
from evcharge.control.rules import ChargerNotConnected
from evcharge.invoices.models import TaxDocument
from evcharge.invoices.queries import documents_of
from evcharge.kernel.clock import utc_now
from evcharge.kernel.topics import sign_topics
from evcharge.payments.rules import ItemKind
from evcharge.web.context import (
    current_user,
    login_required,
    perform,
    reading,
    settings,
)
from evcharge.web.shell import limiter


@pages.get("/sessions/<uuid:session_id>")
@login_required
def show_session(session_id: UUID) -> ResponseReturnValue:
    user_id = current_user().id
    view = view_of(reading(), session_id, user_id, now=utc_now())
    is_fragment = "fragment" in request.args
    if view.goes_on_as is not None and not is_fragment:
        return _back(view.goes_on_as)
    part = "_session.html" if is_fragment else "show.html"
    topics = _topics(view.charge)
    return render_template(
        f"charging/{part}",
        view=view,
        documents=_documents(view.charge),
        urls=_urls(session_id),
        topics=topics,
        token=sign_topics(settings().secret_key, topics, user_id),
    )


def _topics(charge: ChargingSession) -> list[str]:
    """Bill, refund and papers of a booked charge are news of its booking."""
    topics = [f"session:{charge.id}", f"evse:{charge.evse_id}"]
    return topics + ([f"booking:{charge.booking_id}"] if charge.booking_id else [])


def _urls(session_id: UUID) -> dict[str, str]:
    """Where the buttons lead that a guest's page has too."""
    return {
        "own": url_for(".show_session", session_id=session_id),
        "stop": url_for(".stop", session_id=session_id),
        "confirm": url_for(".confirm_stopping", session_id=session_id),
        "unlock": url_for(".unlock", session_id=session_id),
    }


def _documents(charge: ChargingSession) -> Sequence[TaxDocument]:
    """The papers of a booked charge are those of its booking, which was paid."""
    if charge.booking_id is not None:
        return documents_of(reading(), ItemKind.BOOKING, charge.booking_id)
    return documents_of(reading(), ItemKind.SESSION, charge.id)


@pages.get("/sessions/<uuid:session_id>/stop")
@login_required
def confirm_stopping(session_id: UUID) -> ResponseReturnValue:
    charge = session_of_user(reading(), session_id, current_user().id)
    if charge.status != SessionStatus.ACTIVE:
        return _back(session_id)
    lasts = lasting(charge, now=utc_now())
    return render_template(
        "charging/stop.html", charge=charge, lasts=lasts, urls=_urls(session_id)
    )


@pages.post("/sessions/<uuid:session_id>/stop")
@login_required
@limiter.limit(ASKING)
def stop(session_id: UUID) -> ResponseReturnValue:
    user_id, now = current_user().id, utc_now()

    def act(session: Session) -> None:
        session_of_user(session, session_id, user_id)
        actor = Actor(ActorKind.DRIVER, user_id)
        ask_to_stop(session, session_id=session_id, actor=actor, now=now)

    try:
        perform(act)
    except (SessionNotActive, ChargerNotConnected) as refusal:
        flash(refusal.message, "warning")
    return _back(session_id)


@pages.post("/sessions/<uuid:session_id>/unlock")
@login_required
@limiter.limit(ASKING)
def unlock(session_id: UUID) -> ResponseReturnValue:
    user_id, now = current_user().id, utc_now()

    def act(session: Session) -> None:
        session_of_user(session, session_id, user_id)
        actor = Actor(ActorKind.DRIVER, user_id)
        ask_to_unlock(session, session_id=session_id, actor=actor, now=now)

    try:
        perform(act)
    except (SessionNotActive, ChargerNotConnected) as refusal:
        flash(refusal.message, "warning")
    return _back(session_id)


def _back(session_id: UUID) -> ResponseReturnValue:
    return redirect(url_for(".show_session", session_id=session_id), code=303)
