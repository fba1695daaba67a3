"""Giving people the cards they charge with, blocking them and taking them away."""

from collections.abc import Callable

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from evcharge.accounts.admin.blueprint import admin
from evcharge.accounts.admin.people import user_page
from evcharge.accounts.forms import CardForm, refuse
from evcharge.accounts.rules import AccountSuspended
from evcharge.accounts.rules.cards import (
    CardNotFound,
    CardTaken,
    TooManyCards,
    fold_uid,
)
from evcharge.accounts.service.cards import add_card, block_card, remove_card
from evcharge.kernel.clock import utc_now
from evcharge.web.context import admin_required, current_user, perform
from evcharge.web.errors import http_status


@admin.post("/admin/users/<int:user_id>/cards")
@admin_required
def give_card(user_id: int) -> ResponseReturnValue:
    form = CardForm(request.form)
    if not form.validate():
        return user_page(user_id, card=form), 422
    uid, label = form.clean_uid, form.clean_label
    by, now = current_user().id, utc_now()
    try:
        perform(
            lambda session: add_card(
                session, user_id=user_id, uid=uid, label=label, by=by, now=now
            )
        )
    except (CardTaken, TooManyCards, AccountSuspended) as refusal:
        refuse(form.uid, refusal)
        return user_page(user_id, card=form), http_status(refusal)
    flash("They can charge with this card now.", "success")
    return _back_to(user_id)


@admin.post("/admin/users/<int:user_id>/cards/block")
@admin_required
def block(user_id: int) -> ResponseReturnValue:
    is_blocked, uid = request.form.get("blocked") == "yes", _uid()
    done = "Nobody can charge with it now." if is_blocked else "The card works again."
    return _change(
        user_id,
        lambda session: block_card(
            session, user_id=user_id, uid=uid, is_blocked=is_blocked
        ),
        done,
    )


@admin.post("/admin/users/<int:user_id>/cards/remove")
@admin_required
def remove(user_id: int) -> ResponseReturnValue:
    uid = _uid()
    return _change(
        user_id,
        lambda session: remove_card(session, user_id=user_id, uid=uid),
        "The card is theirs no more.",
    )


def _change(
    user_id: int, action: Callable[[Session], None], done: str
) -> ResponseReturnValue:
    try:
        perform(action)
    except CardNotFound as refusal:
        flash(refusal.message, "warning")
    else:
        flash(done, "success")
    return _back_to(user_id)


def _uid() -> str:
    # PostgreSQL keeps no NUL, so no card has one.
    return fold_uid(request.form.get("uid", "").replace("\x00", ""))


def _back_to(user_id: int) -> ResponseReturnValue:
    return redirect(url_for(".user", user_id=user_id), code=303)
