"""What somebody should look at: silence, faults, failures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, or_, select, true
from sqlalchemy.orm import Session, joinedload, raiseload

from evcharge.control.models import ParkedCharger
from evcharge.finance.models import Difference
from evcharge.kernel.jobs import Job
from evcharge.payments.models import CheckoutItem, Refund
from evcharge.payments.rules import RefundStatus
from evcharge.reports.queries.scope import is_in_service
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.queries import Scope, in_scope, is_heard_of
from evcharge.stations.rules import Lifecycle, ReportedStatus


@dataclass(frozen=True)
class ChargerCount:
    total: int
    silent: int


def count_chargers(session: Session, scope: Scope, *, now: datetime) -> ChargerCount:
    """Count chargers with an EVSE in use, and those of them that are silent."""
    silent = func.sum(case((is_heard_of(now), 0), else_=1))
    row = session.execute(
        select(func.count(), func.coalesce(silent, 0))
        .select_from(Charger)
        .join(Charger.location)
        .where(in_scope(scope), _has_evse_in_use())
    ).one()
    return ChargerCount(int(row[0]), int(row[1]))


def silent_chargers(
    session: Session, scope: Scope, *, now: datetime, limit: int
) -> Sequence[Charger]:
    """Return those silent for longest first, with their locations."""
    return session.scalars(
        select(Charger)
        .join(Charger.location)
        .where(
            in_scope(scope),
            Location.is_active,
            _has_evse_in_use(),
            or_(Charger.last_seen_at.is_(None), ~is_heard_of(now)),
        )
        .order_by(Charger.last_seen_at.asc().nulls_first(), Charger.id)
        .limit(limit)
        .options(joinedload(Charger.location), raiseload("*"))
    ).all()


def broken_evses(
    session: Session, scope: Scope, *, now: datetime, limit: int
) -> Sequence[Evse]:
    """Return EVSEs in service whose every plug is reported faulted, by a charger that
    is heard of; with their places."""
    works = (
        select(Connector.id)
        .where(
            Connector.evse_id == Evse.id,
            or_(
                Connector.reported_status.is_(None),
                Connector.reported_status != ReportedStatus.FAULTED,
            ),
        )
        .exists()
    )
    has_plug = select(Connector.id).where(Connector.evse_id == Evse.id).exists()
    return session.scalars(
        select(Evse)
        .join(Evse.charger)
        .join(Charger.location)
        .where(is_in_service(scope), is_heard_of(now), has_plug, ~works)
        .order_by(Evse.id)
        .limit(limit)
        .options(joinedload(Evse.charger).joinedload(Charger.location), raiseload("*"))
    ).all()


def _has_evse_in_use() -> ColumnElement[bool]:
    in_use = (Lifecycle.ACTIVE, Lifecycle.INOPERATIVE)
    return (
        select(Evse.id)
        .where(Evse.charger_id == Charger.id, Evse.lifecycle.in_(in_use))
        .exists()
    )


@dataclass(frozen=True)
class Failures:
    """`parked`: chargers that wait to be let in; `differences`: money that does not
    agree."""

    refunds: int
    jobs: int
    parked: int
    differences: int


def count_failures(session: Session, scope: Scope) -> Failures:
    """Count refunds that did not go through, jobs given up, chargers not let in."""
    refunds = (
        select(func.count(Refund.id))
        .where(Refund.status == RefundStatus.FAILED, _is_of(scope))
        .scalar_subquery()
    )
    jobs = (
        select(func.count(Job.id))
        .where(Job.finished_at.is_not(None), Job.failure.is_not(None))
        .scalar_subquery()
    )
    parked = select(func.count(ParkedCharger.identity)).scalar_subquery()
    differences = (
        select(func.count(Difference.id))
        .where(Difference.resolved_at.is_(None))
        .scalar_subquery()
    )
    row = session.execute(select(refunds, jobs, parked, differences)).one()
    return Failures(*map(int, row))


def _is_of(scope: Scope) -> ColumnElement[bool]:
    """Whether a refund is of something on their network."""
    if scope is None:
        return true()
    theirs = (
        select(CheckoutItem.item_id)
        .join(Location, Location.id == CheckoutItem.location_id)
        .where(in_scope(scope))
    )
    return Refund.item_id.in_(theirs)
