"""The codes to stick on a charger: whoever scans one can charge there."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from evcharge.bookings.pages.view import qr
from evcharge.network.admin.blueprint import admin
from evcharge.network.own import own_charger, own_location
from evcharge.stations.models import Charger, Evse
from evcharge.stations.queries import location_with_evses
from evcharge.stations.rules import Lifecycle
from evcharge.stations.rules.codes import evse_code
from evcharge.web.context import operator_required, reading


@dataclass(frozen=True)
class Sticker:
    charger: Charger
    evse: Evse
    code: str
    address: str
    picture: Markup


@admin.get("/admin/chargers/<int:charger_id>/codes")
@operator_required
def codes(charger_id: int) -> ResponseReturnValue:
    box = own_charger(charger_id)
    return render_template(
        "network/admin/codes.html",
        charger=box,
        host=request.host,
        stickers=_stickers([box]),
    )


@admin.get("/admin/locations/<int:location_id>/codes")
@operator_required
def codes_of_location(location_id: int) -> ResponseReturnValue:
    """One sheet for all chargers of a site."""
    location = location_with_evses(reading(), own_location(location_id).id)
    return render_template(
        "network/admin/location_codes.html",
        location=location,
        host=request.host,
        stickers=_stickers(location.chargers),
    )


def _stickers(chargers: Iterable[Charger]) -> list[Sticker]:
    return [
        _sticker(box, evse)
        for box in sorted(chargers, key=lambda box: box.identity)
        for evse in sorted(box.evses, key=lambda evse: evse.number)
        if evse.lifecycle != Lifecycle.REMOVED
    ]


def _sticker(charger: Charger, evse: Evse) -> Sticker:
    code = evse_code(evse.id)
    address = f"{request.url_root}c/{code}"
    return Sticker(charger, evse, code, address, qr(address))
