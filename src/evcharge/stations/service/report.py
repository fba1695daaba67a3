"""What chargers say of themselves."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from evcharge.kernel.db import UtcDateTime, changed
from evcharge.kernel.live import announce
from evcharge.stations.models import Charger, Connector
from evcharge.stations.queries import ConnectorPlace, connectors_of, evse_ids_of
from evcharge.stations.rules import (
    IN_USE,
    ConnectorNotFound,
    ConnectorReport,
    Plug,
    ReportedStatus,
    is_silent,
)
from evcharge.stations.service.outages import note_reports

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def record_connector_status(
    session: Session, *, plug: Plug, status: ReportedStatus, at: datetime
) -> None:
    """Remember what a charger says about one of its connectors.

    Raises: ConnectorNotFound.
    """
    if record_connector_statuses(session, [ConnectorReport(plug, status, at)]):
        raise ConnectorNotFound(plug=plug)


def record_connector_statuses(
    session: Session, reports: Sequence[ConnectorReport]
) -> list[Plug]:
    """Remember what chargers say about their connectors; return plugs nobody knows.

    `at` is when we received it: the latest report to arrive wins, whatever the
    charger's clock says (OCPP 1.6 edition 2, section 4.9: reports come in the order
    of what they describe). Saying the same again only shows that it is alive.
    """
    latest = {report.plug: report for report in reports}
    places = connectors_of(session, {plug.charger for plug in latest})
    known = [(places[plug], latest[plug]) for plug in latest if plug in places]
    news = [(place, report) for place, report in known if _is_news(place, report)]
    _write(session, news)
    note_reports(session, news)
    _mark_seen(
        session,
        {place.charger_id for place, _ in known},
        at=max((report.at for report in reports), default=LONG_AGO),
    )
    back = [
        (place, report)
        for place, report in known
        if is_silent(place.last_seen_at, place.heartbeat, now=report.at)
    ]
    for place, _ in [*news, *back]:
        announce(session, f"location:{place.location_id}")
        announce(session, f"evse:{place.evse_id}")
        announce(session, f"charger:{place.charger_id}")
    return [plug for plug in latest if plug not in places]


def _is_news(place: ConnectorPlace, report: ConnectorReport) -> bool:
    # OCPP 2.0.1 says Occupied of whatever has a vehicle on it, charging or not.
    is_vague = report.status == ReportedStatus.OCCUPIED
    if is_vague and place.has_session and place.reported_status in IN_USE:
        return False
    return (place.reported_status, *_errors(place)) != (report.status, *_errors(report))


def _errors(said: ConnectorPlace | ConnectorReport) -> tuple[str, str, str]:
    return said.error_code, said.vendor_error_code, said.error_info


def _write(
    session: Session, news: Sequence[tuple[ConnectorPlace, ConnectorReport]]
) -> None:
    """Locks rows in the order of their ids: no two batches wait for each other."""
    rows = [
        {
            "connector_id": place.connector_id,
            "status": report.status,
            "since": _since(place, report),
            "error_code": report.error_code,
            "vendor_error_code": report.vendor_error_code,
            "error_info": report.error_info,
        }
        for place, report in sorted(news, key=lambda each: each[0].connector_id)
    ]
    if rows:
        session.connection().execute(_REPORT, rows)


def _since(place: ConnectorPlace, report: ConnectorReport) -> datetime | None:
    """Another error of the same status does not make it a new status."""
    return None if place.reported_status == report.status else report.at


_CONNECTOR = cast(Table, Connector.__table__)
_REPORT = (
    update(_CONNECTOR)
    .where(_CONNECTOR.c.id == bindparam("connector_id"))
    .values(
        reported_status=bindparam("status"),
        reported_at=func.coalesce(
            bindparam("since", type_=UtcDateTime), _CONNECTOR.c.reported_at
        ),
        error_code=bindparam("error_code"),
        vendor_error_code=bindparam("vendor_error_code"),
        error_info=bindparam("error_info"),
    )
)


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
    # Locked in the order of their ids, so that two batches cannot wait for each other,
    # and not against those who only refer to them: each message kept does.
    behind = (
        select(Charger.id)
        .where(
            Charger.id.in_(charger_ids),
            or_(Charger.last_seen_at.is_(None), Charger.last_seen_at < at),
        )
        .order_by(Charger.id)
        .with_for_update(key_share=True)
    )
    changed(
        session,
        update(Charger).where(Charger.id.in_(behind)).values(last_seen_at=at),
    )
