"""Chargers: looking, adding, editing, taking out of service."""

from dataclasses import replace

from sqlalchemy.orm import Session

from evcharge.accounts.rules import search_text
from evcharge.bookings.asking import actor
from evcharge.bookings.service import close_evses
from evcharge.kernel.clock import utc_now
from evcharge.network.admin_api.acting import (
    CLOSING,
    BadFields,
    InTheWay,
    act,
    api,
    id_after,
    next_cursor,
    reason_of,
)
from evcharge.network.admin_api.describe import charger_answer, described_chargers
from evcharge.network.admin_api.shapes import (
    AdminCharger,
    AdminChargerQuery,
    ChargerChanges,
    Closing,
    NewCharger,
)
from evcharge.network.fleet import (
    ChargerFilter,
    charger_conditions,
    chargers_after,
    fact_groups,
)
from evcharge.network.own import own_charger, own_location
from evcharge.stations.models import Charger
from evcharge.stations.rules import (
    ChargerNotFound,
    IdentityTaken,
    Lifecycle,
    LocationNotFound,
)
from evcharge.stations.rules.entries import ChargerDetails
from evcharge.stations.service import create_charger, edit_charger, set_lifecycle
from evcharge.web.api import Page, SeenVersion
from evcharge.web.context import current_user, operator_required, reading


@api.get("/admin/chargers", guard=operator_required)
def list_admin_chargers(query: AdminChargerQuery) -> Page[AdminCharger]:
    """List the chargers of your network with their EVSEs, the oldest first."""
    now = utc_now()
    wanted = ChargerFilter(
        current_user().scope,
        search_text(query.q or ""),
        query.status,
        query.location_id,
    )
    groups = fact_groups(reading(), wanted.scope, now=now) if wanted.status else []
    found = chargers_after(
        reading(),
        charger_conditions(wanted, groups, now=now),
        after=id_after(query.cursor),
        limit=query.limit + 1,
    )
    return Page(
        items=described_chargers(reading(), found[: query.limit], now),
        next_cursor=next_cursor(found, query.limit),
    )


@api.post(
    "/admin/chargers",
    guard=operator_required,
    status=201,
    location="/admin/chargers/{id}",
    refuses=(LocationNotFound, IdentityTaken, BadFields),
)
def create_admin_charger(body: NewCharger) -> AdminCharger:
    """Add a charger to a location."""
    location_id, now = own_location(body.location_id).id, utc_now()
    details = ChargerDetails(**body.model_dump(exclude={"location_id"}))

    def create(session: Session) -> AdminCharger:
        box = create_charger(session, location_id=location_id, details=details, now=now)
        return charger_answer(session, box.id, now)

    return act(create)


@api.get(
    "/admin/chargers/<int:charger_id>",
    guard=operator_required,
    refuses=(ChargerNotFound,),
)
def get_admin_charger(charger_id: int) -> AdminCharger:
    """Look at a charger and its EVSEs."""
    box = own_charger(charger_id)
    return described_chargers(reading(), [box], utc_now())[0]


@api.patch(
    "/admin/chargers/<int:charger_id>",
    guard=operator_required,
    refuses=(ChargerNotFound, IdentityTaken, BadFields),
)
def edit_admin_charger(
    charger_id: int, body: ChargerChanges, seen: SeenVersion
) -> AdminCharger:
    """Edit a charger. What is left out stays as it is."""
    box, now = own_charger(charger_id), utc_now()
    stored = ChargerDetails(
        identity=box.identity,
        vendor=box.vendor,
        model=box.model,
        heartbeat_seconds=box.heartbeat_seconds,
    )
    details = replace(stored, **body.model_dump(exclude_none=True))

    def edit(session: Session) -> AdminCharger:
        edit_charger(session, charger_id=charger_id, details=details, version=seen)
        return charger_answer(session, charger_id, now)

    return act(edit)


@api.post(
    "/admin/chargers/<int:charger_id>/close",
    guard=operator_required,
    problem=InTheWay,
    refuses=(ChargerNotFound, *CLOSING),
)
def close_admin_charger(charger_id: int, body: Closing | None) -> AdminCharger:
    """Take all EVSEs of a charger out of service."""
    closing = body or Closing()
    open_ids = _ids_of(own_charger(charger_id), Lifecycle.ACTIVE)
    who, now = actor(), utc_now()

    def close(session: Session) -> AdminCharger:
        close_evses(
            session,
            evse_ids=open_ids,
            lifecycle=Lifecycle.INOPERATIVE,
            actor=who,
            cancel_bookings=closing.cancel_bookings,
            reason=reason_of(closing),
            now=now,
        )
        return charger_answer(session, charger_id, now)

    return act(close)


@api.post(
    "/admin/chargers/<int:charger_id>/open",
    guard=operator_required,
    refuses=(ChargerNotFound,),
)
def open_admin_charger(charger_id: int) -> AdminCharger:
    """Put all EVSEs of a charger into service."""
    box, now = own_charger(charger_id), utc_now()
    closed_ids = _ids_of(box, Lifecycle.INOPERATIVE, Lifecycle.PLANNED)

    def open_all(session: Session) -> AdminCharger:
        for evse_id in sorted(closed_ids):
            set_lifecycle(session, evse_id=evse_id, lifecycle=Lifecycle.ACTIVE)
        return charger_answer(session, charger_id, now)

    return act(open_all)


def _ids_of(box: Charger, *lifecycles: Lifecycle) -> list[int]:
    return [evse.id for evse in box.evses if evse.lifecycle in lifecycles]
