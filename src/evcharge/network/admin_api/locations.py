"""Locations: looking, adding, editing, closing."""

from dataclasses import fields, replace
from typing import Any

from sqlalchemy.orm import Session

from evcharge.accounts.rules import search_text
from evcharge.bookings.asking import actor
from evcharge.bookings.service import close_location
from evcharge.kernel.clock import utc_now
from evcharge.network.admin_api.acting import (
    CLOSING,
    BadFields,
    InTheWay,
    act,
    api,
    bad_fields,
    id_after,
    next_cursor,
    reason_of,
)
from evcharge.network.admin_api.describe import described_location, location_answer
from evcharge.network.admin_api.shapes import (
    AdminLocation,
    AdminLocationQuery,
    LocationChanges,
    NewLocation,
)
from evcharge.network.fleet import LocationFilter, locations_after, operators_in
from evcharge.network.own import own_location
from evcharge.stations.models import Location
from evcharge.stations.rules import LocationNotFound
from evcharge.stations.rules.entries import LocationDetails, is_outside_india
from evcharge.stations.service import (
    create_location,
    edit_location,
    set_location_active,
)
from evcharge.web.api import Page, SeenVersion
from evcharge.web.context import current_user, operator_required, reading

_DETAILS = {each.name for each in fields(LocationDetails)}


@api.get("/admin/locations", guard=operator_required)
def list_admin_locations(query: AdminLocationQuery) -> Page[AdminLocation]:
    """List the locations of your network, the oldest first."""
    wanted = LocationFilter(
        current_user().scope, search_text(query.q or ""), query.is_active
    )
    found = locations_after(
        reading(), wanted, after=id_after(query.cursor), limit=query.limit + 1
    )
    return Page(
        items=[described_location(each) for each in found[: query.limit]],
        next_cursor=next_cursor(found, query.limit),
    )


@api.post(
    "/admin/locations",
    guard=operator_required,
    status=201,
    location="/admin/locations/{id}",
    refuses=(BadFields,),
)
def create_admin_location(body: NewLocation) -> AdminLocation:
    """Add a location.

    Drivers find it once it has a charger with an EVSE.
    """
    operator_id, now = _operator_id(body.operator_id), utc_now()
    details = LocationDetails(**_entered(body))
    if not body.is_abroad:
        _check_in_india(details)

    def create(session: Session) -> AdminLocation:
        location = create_location(
            session, operator_id=operator_id, details=details, now=now
        )
        return location_answer(session, location.id)

    return act(create)


@api.get(
    "/admin/locations/<int:location_id>",
    guard=operator_required,
    refuses=(LocationNotFound,),
)
def get_admin_location(location_id: int) -> AdminLocation:
    """Look at a location as its operator does."""
    return described_location(own_location(location_id))


@api.patch(
    "/admin/locations/<int:location_id>",
    guard=operator_required,
    problem=InTheWay,
    refuses=(LocationNotFound, BadFields, *CLOSING),
)
def edit_admin_location(
    location_id: int, body: LocationChanges, seen: SeenVersion
) -> AdminLocation:
    """Edit a location, close it or open it again.

    What is left out stays as it is. Bookings are in the way of closing, unless they
    are to be cancelled, with full refund and a reason the drivers will read.
    """
    place = own_location(location_id)
    details = replace(_details_of(place), **_entered(body))
    is_moved = (details.lat, details.lon) != (place.lat, place.lon)
    if is_moved and not body.is_abroad:
        _check_in_india(details)
    opens = body.is_active if body.is_active != place.is_active else None

    def edit(session: Session) -> AdminLocation:
        version = seen + _set_active(session, location_id, opens, body, seen)
        edit_location(
            session, location_id=location_id, details=details, version=version
        )
        return location_answer(session, location_id)

    return act(edit)


def _set_active(
    session: Session,
    location_id: int,
    opens: bool | None,
    body: LocationChanges,
    version: int,
) -> int:
    """Open or close it, or neither. Return how many versions that made."""
    if opens is None:
        return 0
    if opens:
        set_location_active(
            session, location_id=location_id, is_active=True, version=version
        )
    else:
        close_location(
            session,
            location_id=location_id,
            version=version,
            actor=actor(),
            cancel_bookings=body.cancel_bookings,
            reason=reason_of(body),
            now=utc_now(),
        )
    return 1


def _operator_id(asked: int | None) -> int:
    """Return whose location it becomes. Raises: BadFields."""
    known = [each.id for each in operators_in(reading(), current_user().scope)]
    if asked is None and len(known) == 1:
        return known[0]
    if asked not in known:
        raise bad_fields({"operator_id": "Name an operator whose network you run."})
    return asked


def _details_of(location: Location) -> LocationDetails:
    stored = {name: getattr(location, name) for name in _DETAILS}
    return LocationDetails(**stored | {"amenities": tuple(location.amenities)})


def _entered(body: NewLocation | LocationChanges) -> dict[str, Any]:
    """Return what was sent of the details, as they are kept."""
    sent = body.model_dump(include=_DETAILS, exclude_none=True)
    entered = {
        name: value.strip() if isinstance(value, str) else value
        for name, value in sent.items()
    }
    if "amenities" in sent:
        entered["amenities"] = tuple(dict.fromkeys(sent["amenities"]))
    return entered


def _check_in_india(details: LocationDetails) -> None:
    """Raises: BadFields, for a place abroad that may be a slip."""
    if is_outside_india(details.lat, details.lon):
        raise bad_fields(
            {"lat": "This is outside India. Correct it, or say is_abroad."}
        )
