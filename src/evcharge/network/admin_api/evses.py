"""EVSEs: adding, editing, closing, removing."""

from dataclasses import replace

from sqlalchemy.orm import Session

from evcharge.bookings.asking import actor
from evcharge.bookings.service import close_evses
from evcharge.kernel.clock import utc_now
from evcharge.network.admin_api.acting import (
    CLOSING,
    BadFields,
    InTheWay,
    act,
    api,
    reason_of,
)
from evcharge.network.admin_api.describe import evse_answer
from evcharge.network.admin_api.shapes import (
    AdminEvse,
    Closing,
    EvseChanges,
    NewEvse,
    Removal,
)
from evcharge.network.own import own_charger, own_evse
from evcharge.stations.models import Evse
from evcharge.stations.rules import (
    ChargerNotFound,
    EvseNotFound,
    Lifecycle,
    NumberTaken,
)
from evcharge.stations.rules.entries import ConnectorDetails, EvseDetails
from evcharge.stations.service import add_evse, edit_evse, set_lifecycle
from evcharge.web.api import SeenVersion
from evcharge.web.context import operator_required, reading


def kept_evse(evse_id: int) -> Evse:
    """Raises: EvseNotFound, also for a removed one: only the console shows those."""
    evse = own_evse(evse_id)
    if evse.lifecycle == Lifecycle.REMOVED:
        raise EvseNotFound(evse_id=evse_id)
    return evse


@api.post(
    "/admin/evses",
    guard=operator_required,
    status=201,
    location="/admin/evses/{id}",
    refuses=(ChargerNotFound, NumberTaken, BadFields),
)
def create_admin_evse(body: NewEvse) -> AdminEvse:
    """Add an EVSE with its connectors to a charger.

    Drivers can book it at once.
    """
    charger_id, now = own_charger(body.charger_id).id, utc_now()
    details = EvseDetails(body.number, body.booking_price_paise)
    connectors = [
        ConnectorDetails(each.number, each.kind, each.power_w)
        for each in body.connectors
    ]

    def create(session: Session) -> AdminEvse:
        evse = add_evse(
            session, charger_id=charger_id, details=details, connectors=connectors
        )
        return evse_answer(session, evse.id, now)

    return act(create)


@api.get("/admin/evses/<int:evse_id>", guard=operator_required, refuses=(EvseNotFound,))
def get_admin_evse(evse_id: int) -> AdminEvse:
    """Look at an EVSE, its connectors and its maintenance."""
    return evse_answer(reading(), kept_evse(evse_id).id, utc_now())


@api.patch(
    "/admin/evses/<int:evse_id>",
    guard=operator_required,
    problem=InTheWay,
    refuses=(EvseNotFound, NumberTaken, BadFields, *CLOSING),
)
def edit_admin_evse(evse_id: int, body: EvseChanges, seen: SeenVersion) -> AdminEvse:
    """Edit an EVSE, take it out of service or put it back.

    What is left out stays as it is. Bookings are in the way of taking it out of
    service, unless they are to be cancelled, with full refund and a reason.
    """
    evse, now = kept_evse(evse_id), utc_now()
    sent = body.model_dump(include={"number", "booking_price_paise"}, exclude_none=True)
    details = replace(EvseDetails(evse.number, evse.booking_price_paise), **sent)
    lifecycle = Lifecycle(body.lifecycle or evse.lifecycle)
    is_turned = lifecycle != evse.lifecycle

    def edit(session: Session) -> AdminEvse:
        if is_turned:
            _turn(session, evse_id, lifecycle, body)
        # Turning made a version: whoever came between us is noticed all the same.
        version = seen + is_turned
        edit_evse(session, evse_id=evse_id, details=details, version=version)
        return evse_answer(session, evse_id, now)

    return act(edit)


@api.delete(
    "/admin/evses/<int:evse_id>",
    guard=operator_required,
    status=204,
    problem=InTheWay,
    refuses=(EvseNotFound, *CLOSING),
)
def remove_admin_evse(evse_id: int, query: Removal) -> None:
    """Remove an EVSE.

    Its past bookings and payments are kept. It can be put back in the console.
    """
    removed = kept_evse(evse_id).id
    closing = Closing(cancel_bookings=query.cancel_bookings, reason=query.reason)
    act(lambda session: _turn(session, removed, Lifecycle.REMOVED, closing))


def _turn(
    session: Session, evse_id: int, lifecycle: Lifecycle, closing: Closing
) -> None:
    """Put it into service, or take it out of it as the operator whose call this is."""
    if lifecycle == Lifecycle.ACTIVE:
        set_lifecycle(session, evse_id=evse_id, lifecycle=lifecycle)
        return
    close_evses(
        session,
        evse_ids=[evse_id],
        lifecycle=lifecycle,
        actor=actor(),
        cancel_bookings=closing.cancel_bookings,
        reason=reason_of(closing),
        now=utc_now(),
    )
