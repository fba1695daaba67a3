"""Giving a charger the key it connects with, and taking it away."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evcharge.control.queries import connection_of, has_key, key_line_of
from evcharge.control.service import issue_key, withdraw_key
from evcharge.kernel.clock import utc_now
from evcharge.network.admin.blueprint import admin
from evcharge.network.admin.live import socket_address
from evcharge.network.own import own_charger
from evcharge.web.context import current_user, operator_required, perform, reading
from evcharge.web.shell import limiter


def who_asks() -> str:
    return str(current_user().id)


@admin.get("/admin/chargers/<int:charger_id>/key")
@operator_required
def ask_for_key(charger_id: int) -> ResponseReturnValue:
    box = own_charger(charger_id)
    return render_template(
        "network/admin/key_ask.html",
        charger=box,
        key=key_line_of(reading(), charger_id),
        connection=connection_of(reading(), charger_id),
        address=socket_address(),
    )


@admin.post("/admin/chargers/<int:charger_id>/key")
@operator_required
@limiter.limit("20 per minute", key_func=who_asks)
def give_key(charger_id: int) -> ResponseReturnValue:
    """Answer with the key itself: to show it after a redirect, it would have to be
    kept somewhere."""
    box, by, now = own_charger(charger_id), current_user().id, utc_now()
    if has_key(reading(), charger_id) and request.form.get("replace") != "yes":
        return redirect(url_for(".ask_for_key", charger_id=charger_id), code=303)
    key = perform(lambda session: issue_key(session, charger_id, by=by, now=now))
    page = render_template(
        "network/admin/key.html", charger=box, key=key, address=socket_address()
    )
    return page, 201


@admin.post("/admin/chargers/<int:charger_id>/key/withdraw")
@operator_required
def take_key(charger_id: int) -> ResponseReturnValue:
    own_charger(charger_id)
    perform(lambda session: withdraw_key(session, charger_id), repeatable=True)
    flash("The key is withdrawn. The charger cannot connect again with it.", "success")
    return redirect(url_for(".charger", charger_id=charger_id), code=303)
