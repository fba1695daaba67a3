"""Saved places: the list, and the star on a location's page."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from evcharge.bookings.asking import limits
from evcharge.favourites import service
from evcharge.favourites.queries import has_saved, saved_location_ids
from evcharge.favourites.rules import TooManySaved
from evcharge.kernel.clock import utc_now
from evcharge.network.forms import search_from_args
from evcharge.network.pages import cards_of
from evcharge.network.queries import sites_by_id
from evcharge.web.context import (
    current_user,
    current_user_or_none,
    login_required,
    perform,
    reading,
)

pages = Blueprint("favourites", __name__, template_folder="templates")


@pages.get("/favourites")
@login_required
def favourites() -> ResponseReturnValue:
    now = utc_now()
    ids = saved_location_ids(reading(), current_user().id)
    sites = sites_by_id(reading(), ids, near=None)
    form = search_from_args(MultiDict(), limits=limits(), now=now)
    return render_template(
        "favourites/favourites.html",
        form=form,
        cards=cards_of(sites, form.search, now=now),
        now=now,
    )


@pages.post("/favourites/<int:location_id>")
@login_required
def save(location_id: int) -> ResponseReturnValue:
    user_id, now = current_user().id, utc_now()
    try:
        perform(
            lambda session: service.save(
                session, user_id=user_id, location_id=location_id, now=now
            )
        )
    except TooManySaved as refusal:
        flash(refusal.message, "warning")
    return _back(location_id)


@pages.post("/favourites/<int:location_id>/remove")
@login_required
def remove(location_id: int) -> ResponseReturnValue:
    user_id = current_user().id
    perform(
        lambda session: service.remove(
            session, user_id=user_id, location_id=location_id
        )
    )
    return _back(location_id)


def _back(location_id: int) -> ResponseReturnValue:
    place = url_for("network.location", location_id=location_id)
    return redirect(place, code=303)


def is_saved(location_id: int) -> bool | None:
    """Whether whoever looks has saved it; None: nobody is logged in."""
    user = current_user_or_none()
    return None if user is None else has_saved(reading(), user.id, location_id)


@pages.app_context_processor
def _words_for_templates() -> dict[str, Any]:
    return {"is_saved": is_saved}
