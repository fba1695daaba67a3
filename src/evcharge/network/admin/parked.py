"""Chargers nobody knows that knocked: an admin, or who expects one, lets them in.

A charger that waits belongs to nobody. Admins see all of them; operators see the one
whose identity they type.
"""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evcharge.control.models import ParkedCharger
from evcharge.control.queries import parked_charger, parked_chargers
from evcharge.control.rules import ParkedNotFound
from evcharge.control.service import turn_away
from evcharge.kernel.clock import utc_now
from evcharge.network.admin.blueprint import admin, searched
from evcharge.network.admin.live import watched
from evcharge.network.fleet import LocationFilter, locations_matching
from evcharge.stations.rules.entries import is_identity
from evcharge.web.context import (
    admin_required,
    current_user,
    operator_required,
    perform,
    reading,
    settings,
)

LONGEST_IDENTITY = 48
PLACES = 20


@admin.get("/admin/parked")
@operator_required
def parked() -> ResponseReturnValue:
    identity = asked_identity()
    if identity:
        return _one(identity)
    sees_all = current_user().is_admin
    part = "_parked.html" if "fragment" in request.args else "parked.html"
    return render_template(
        f"network/admin/{part}",
        waiting=parked_chargers(reading()) if sees_all else (),
        are_kept=settings().parks_unknown_chargers,
        live=watched("parked") if sees_all else None,
        now=utc_now(),
    )


def asked_identity() -> str:
    return request.args.get("identity", "").strip()[:LONGEST_IDENTITY]


def parked_or_none(identity: str) -> ParkedCharger | None:
    if not is_identity(identity):
        return None
    try:
        return parked_charger(reading(), identity)
    except ParkedNotFound:
        return None


def _one(identity: str) -> str:
    """Let them choose where the charger stands."""
    text = searched()
    places = LocationFilter(current_user().scope, text)
    return render_template(
        "network/admin/parked_one.html",
        identity=identity,
        waiting=parked_or_none(identity),
        places=locations_matching(reading(), places, limit=PLACES, offset=0),
        most=PLACES,
        text=text,
        now=utc_now(),
    )


@admin.post("/admin/parked/turn-away")
@admin_required
def turn_parked_away() -> ResponseReturnValue:
    identity = request.form.get("identity", "")
    if parked_or_none(identity) is not None:
        perform(lambda session: turn_away(session, identity), repeatable=True)
    flash("Turned away. It waits again if it knocks again.", "success")
    return redirect(url_for(".parked"), code=303)
