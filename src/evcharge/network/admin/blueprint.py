"""What the console's pages about stations hang on, and whose stations they show."""

from flask import Blueprint, request

from evcharge.accounts.rules import search_text
from evcharge.bookings.rules import Actor, ActorKind
from evcharge.network.fleet import location_with_operator
from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.queries import charger_with_evses, evse_with_place
from evcharge.stations.rules import ChargerNotFound, EvseNotFound, LocationNotFound
from evcharge.web.context import check_in_scope, current_user, reading

admin = Blueprint("network_admin", "evcharge.network", template_folder="templates")


def own_location(location_id: int) -> Location:
    """Raises: LocationNotFound, also for somebody else's."""
    location = location_with_operator(reading(), location_id)
    check_in_scope(location.operator_id, LocationNotFound())
    return location


def own_charger(charger_id: int) -> Charger:
    """Raises: ChargerNotFound, also for somebody else's."""
    charger = charger_with_evses(reading(), charger_id)
    check_in_scope(charger.location.operator_id, ChargerNotFound())
    return charger


def own_evse(evse_id: int) -> Evse:
    """Raises: EvseNotFound, also for somebody else's."""
    evse = evse_with_place(reading(), evse_id)
    check_in_scope(evse.charger.location.operator_id, EvseNotFound())
    return evse


def searched() -> str:
    return search_text(request.args.get("q", ""))


def actor() -> Actor:
    return Actor(ActorKind.OPERATOR, current_user().id)
