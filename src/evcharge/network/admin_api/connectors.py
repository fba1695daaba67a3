"""Connectors: part of an EVSE, whose version they share."""

from dataclasses import replace

from sqlalchemy.orm import Session

from evcharge.kernel.clock import utc_now
from evcharge.network.admin_api.acting import BadFields, act, api
from evcharge.network.admin_api.describe import evse_answer
from evcharge.network.admin_api.evses import kept_evse
from evcharge.network.admin_api.shapes import AdminEvse, ConnectorChanges, NewConnector
from evcharge.stations.rules import (
    ConnectorNotFound,
    EvseNotFound,
    LastConnector,
    NumberTaken,
)
from evcharge.stations.rules.entries import ConnectorDetails
from evcharge.stations.service import add_connector, edit_connector, remove_connector
from evcharge.web.api import SeenVersion
from evcharge.web.context import operator_required


@api.post(
    "/admin/evses/<int:evse_id>/connectors",
    guard=operator_required,
    status=201,
    refuses=(EvseNotFound, NumberTaken, BadFields),
)
def add_admin_connector(
    evse_id: int, body: NewConnector, seen: SeenVersion
) -> AdminEvse:
    """Add a connector to an EVSE."""
    kept_evse(evse_id)
    details, now = ConnectorDetails(body.number, body.kind, body.power_w), utc_now()

    def add(session: Session) -> AdminEvse:
        add_connector(session, evse_id=evse_id, details=details, version=seen)
        return evse_answer(session, evse_id, now)

    return act(add)


@api.patch(
    "/admin/evses/<int:evse_id>/connectors/<int:connector_id>",
    guard=operator_required,
    refuses=(EvseNotFound, ConnectorNotFound, NumberTaken, BadFields),
)
def edit_admin_connector(
    evse_id: int, connector_id: int, body: ConnectorChanges, seen: SeenVersion
) -> AdminEvse:
    """Edit a connector. What is left out stays as it is."""
    now = utc_now()
    details = replace(
        _connector_of(evse_id, connector_id), **body.model_dump(exclude_none=True)
    )

    def edit(session: Session) -> AdminEvse:
        edit_connector(
            session,
            evse_id=evse_id,
            connector_id=connector_id,
            details=details,
            version=seen,
        )
        return evse_answer(session, evse_id, now)

    return act(edit)


@api.delete(
    "/admin/evses/<int:evse_id>/connectors/<int:connector_id>",
    guard=operator_required,
    refuses=(EvseNotFound, ConnectorNotFound, LastConnector),
)
def remove_admin_connector(
    evse_id: int, connector_id: int, seen: SeenVersion
) -> AdminEvse:
    """Remove a connector. An EVSE keeps at least one."""
    now = utc_now()
    _connector_of(evse_id, connector_id)

    def remove(session: Session) -> AdminEvse:
        remove_connector(
            session, evse_id=evse_id, connector_id=connector_id, version=seen
        )
        return evse_answer(session, evse_id, now)

    return act(remove)


def _connector_of(evse_id: int, connector_id: int) -> ConnectorDetails:
    """Raises: EvseNotFound, ConnectorNotFound."""
    for connector in kept_evse(evse_id).connectors:
        if connector.id == connector_id:
            return ConnectorDetails(connector.number, connector.kind, connector.power_w)
    raise ConnectorNotFound(connector_id=connector_id)
