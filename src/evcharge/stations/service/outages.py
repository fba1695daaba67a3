"""When an EVSE could not charge: broken, closed or unheard of, and for how long."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from evcharge.kernel.db import changed, insert_missing
from evcharge.stations.models import Charger, Connector, Evse, Outage
from evcharge.stations.queries import ConnectorPlace, is_heard_of
from evcharge.stations.rules import (
    DOWN,
    ConnectorReport,
    Lifecycle,
    OutageKind,
    ReportedStatus,
    down_as,
)

BATCH = 500
BY_REPORT = (OutageKind.FAULTED, OutageKind.UNAVAILABLE)


def note_reports(
    session: Session, news: Sequence[tuple[ConnectorPlace, ConnectorReport]]
) -> None:
    """Open and close outages after reports that were written.

    Costs no statement unless a plug breaks, closes, or works again.
    """
    moved = {
        place.evse_id: report.at
        for place, report in news
        if place.reported_status != report.status
        and DOWN & {place.reported_status, report.status}
    }
    if not moved:
        return
    reported: dict[int, set[ReportedStatus | None]] = {}
    for row in session.execute(
        select(Connector.evse_id, Connector.reported_status).where(
            Connector.evse_id.in_(moved)
        )
    ):
        reported.setdefault(row.evse_id, set()).add(row.reported_status)
    down = {each: down_as(reported.get(each, set())) for each in moved}
    for evse_id in sorted(moved):
        others = [kind for kind in BY_REPORT if kind != down[evse_id]]
        _close(session, [evse_id], others, at=moved[evse_id])
    _open(session, [(each, kind, moved[each]) for each, kind in down.items() if kind])


def note_silence(session: Session, *, now: datetime) -> int:
    """Open outages of chargers that fell silent, at most a batch; return how many.

    They began when the charger was last heard of, for nobody knows better.
    """
    is_noted = (
        select(Outage.id)
        .where(
            Outage.evse_id == Evse.id,
            Outage.kind == OutageKind.SILENT,
            Outage.ended_at.is_(None),
        )
        .exists()
    )
    silent = session.execute(
        select(Evse.id, Charger.last_seen_at)
        .join(Charger, Charger.id == Evse.charger_id)
        .where(
            ~is_heard_of(now),
            Evse.lifecycle.in_([Lifecycle.ACTIVE, Lifecycle.INOPERATIVE]),
            ~is_noted,
        )
        .order_by(Evse.id)
        .limit(BATCH)
    )
    return _open(
        session, [(id_, OutageKind.SILENT, since) for id_, since in silent if since]
    )


def note_return(session: Session, *, now: datetime) -> int:
    """Close outages of chargers that speak again, at most a batch; return how many."""
    back = session.scalars(
        select(Outage.evse_id)
        .join(Evse, Evse.id == Outage.evse_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .where(
            Outage.kind == OutageKind.SILENT,
            Outage.ended_at.is_(None),
            is_heard_of(now),
        )
        .order_by(Outage.evse_id)
        .limit(BATCH)
    ).all()
    return _close(session, back, [OutageKind.SILENT], at=now) if back else 0


def _open(session: Session, outages: Sequence[tuple[int, OutageKind, datetime]]) -> int:
    """An EVSE has one open outage of a kind, by a unique index, however often noted."""
    rows = [
        {"evse_id": evse_id, "kind": kind, "began_at": at}
        for evse_id, kind, at in sorted(outages)
    ]
    return insert_missing(session, Outage, rows) if rows else 0


def _close(
    session: Session,
    evse_ids: Collection[int],
    kinds: Collection[OutageKind],
    *,
    at: datetime,
) -> int:
    return changed(
        session,
        update(Outage)
        .where(
            Outage.evse_id.in_(evse_ids),
            Outage.kind.in_(kinds),
            Outage.ended_at.is_(None),
        )
        .values(ended_at=at),
    )
