"""What chargers say of themselves."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from evcharge.kernel.db import changed
from evcharge.kernel.live import announce
from evcharge.stations.models import Charger, Connector
from evcharge.stations.queries import connector_at, evse_ids_of
from evcharge.stations.rules import Plug, ReportedStatus, is_silent


def record_connector_status(
    session: Session, *, plug: Plug, status: ReportedStatus, at: datetime
) -> None:
    """Remember what a charger says about one of its connectors.

    `at` is when we received it: the latest report to arrive wins, whatever the
    charger's clock says (OCPP 1.6 edition 2, section 4.9: reports come in the order
    of what they describe). Saying the same again only shows that it is alive.

    Raises: ConnectorNotFound.
    """
    place = connector_at(session, plug)
    is_new = place.reported_status != status
    if is_new:
        changed(
            session,
            update(Connector)
            .where(Connector.id == place.connector_id)
            .values(reported_status=status, reported_at=at),
        )
    _mark_seen(session, [place.charger_id], at=at)
    was_silent = is_silent(place.last_seen_at, place.heartbeat, now=at)
    if is_new or was_silent:
        announce(session, f"location:{place.location_id}")
        announce(session, f"evse:{place.evse_id}")


def record_seen(
    session: Session, charger_ids: Collection[int], *, at: datetime
) -> None:
    """Remember that these chargers were heard of; unknown ids are let pass.

    Viewers are told only of those that had fallen silent.
    """
    back = _silent_chargers(session, charger_ids, at=at)
    _mark_seen(session, charger_ids, at=at)
    if not back:
        return
    for location_id in sorted(set(back.values())):
        announce(session, f"location:{location_id}")
    for evse_ids in evse_ids_of(session, back).values():
        for evse_id in evse_ids:
            announce(session, f"evse:{evse_id}")


def _silent_chargers(
    session: Session, charger_ids: Collection[int], *, at: datetime
) -> dict[int, int]:
    """Return those that count as silent, with their locations."""
    chargers = session.execute(
        select(
            Charger.id,
            Charger.location_id,
            Charger.last_seen_at,
            Charger.heartbeat_seconds,
        ).where(Charger.id.in_(charger_ids))
    )
    return {
        row.id: row.location_id
        for row in chargers
        if is_silent(row.last_seen_at, timedelta(seconds=row.heartbeat_seconds), now=at)
    }


def _mark_seen(session: Session, charger_ids: Collection[int], *, at: datetime) -> None:
    """Never move backwards: two gateways may report in either order."""
    # Locked in the order of their ids, so that two batches cannot wait for each other.
    behind = (
        select(Charger.id)
        .where(
            Charger.id.in_(charger_ids),
            or_(Charger.last_seen_at.is_(None), Charger.last_seen_at < at),
        )
        .order_by(Charger.id)
        .with_for_update()
    )
    changed(
        session,
        update(Charger).where(Charger.id.in_(behind)).values(last_seen_at=at),
    )
