"""The codes to stick on a charger: whoever scans one can charge there."""

from dataclasses import dataclass

from flask import render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from evcharge.bookings.pages.view import qr
from evcharge.network.admin.blueprint import admin
from evcharge.network.own import own_charger
from evcharge.stations.models import Evse
from evcharge.stations.rules import Lifecycle
from evcharge.stations.rules.codes import evse_code
from evcharge.web.context import operator_required


@dataclass(frozen=True)
class Sticker:
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
        stickers=[
            _sticker(evse) for evse in box.evses if evse.lifecycle != Lifecycle.REMOVED
        ],
    )


def _sticker(evse: Evse) -> Sticker:
    code = evse_code(evse.id)
    address = f"{request.url_root}c/{code}"
    return Sticker(evse, code, address, qr(address))
