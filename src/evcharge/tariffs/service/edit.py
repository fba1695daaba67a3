"""What can happen to tariffs. Copies on bookings and charges are never touched."""

from datetime import datetime

from sqlalchemy.orm import Session

from evcharge.tariffs.models import PriceCeiling, Tariff, TariffAssignment
from evcharge.tariffs.queries import operator_of_evse, operator_of_location
from evcharge.tariffs.rules import Terms
from evcharge.tariffs.rules.refusals import (
    PlaceNotFound,
    TariffChanged,
    ValidityInvalid,
    name_from_text,
)
from evcharge.tariffs.service.pricing import prices_change


def add_tariff(
    session: Session, *, operator_id: int, name: str, terms: Terms, now: datetime
) -> Tariff:
    """Note a tariff; it applies nowhere until it is assigned."""
    tariff = Tariff(
        operator_id=operator_id,
        name=name_from_text(name),
        terms=terms.as_json(),
        created_at=now,
        updated_at=now,
    )
    session.add(tariff)
    session.flush()
    return tariff


def change_tariff(
    session: Session,
    tariff: Tariff,
    *,
    name: str,
    terms: Terms,
    version: int,
    now: datetime,
) -> None:
    """Write other terms, for who comes from now on. `version`: the one looked at.

    `tariff` is locked by the caller. Raises: TariffChanged, NameNotUsable.
    """
    if tariff.version != version:
        raise TariffChanged
    tariff.name, tariff.terms = name_from_text(name), terms.as_json()
    _touch(session, tariff, now)


def set_active(
    session: Session, tariff: Tariff, *, is_active: bool, now: datetime
) -> None:
    """End or begin a tariff everywhere. Doing it again changes nothing."""
    if tariff.is_active != is_active:
        tariff.is_active = is_active
        _touch(session, tariff, now)


def _touch(session: Session, tariff: Tariff, now: datetime) -> None:
    tariff.updated_at = now
    tariff.version += 1
    prices_change(session, tariff.operator_id, at=now)


def assign(
    session: Session,
    tariff: Tariff,
    *,
    location_id: int | None = None,
    evse_id: int | None = None,
    valid_from: datetime,
    valid_until: datetime | None = None,
) -> TariffAssignment:
    """Let a tariff apply at an EVSE, a location, or (neither) all of its operator.

    Raises: PlaceNotFound, ValidityInvalid.
    """
    if valid_until is not None and valid_until <= valid_from:
        raise ValidityInvalid
    owner: int | None = tariff.operator_id
    if evse_id is not None:
        owner = operator_of_evse(session, evse_id)
    elif location_id is not None:
        owner = operator_of_location(session, location_id)
    if owner != tariff.operator_id:
        raise PlaceNotFound
    made = TariffAssignment(
        tariff_id=tariff.id,
        operator_id=tariff.operator_id,
        location_id=None if evse_id is not None else location_id,
        evse_id=evse_id,
        valid_from=valid_from,
        valid_until=valid_until,
    )
    session.add(made)
    session.flush()
    for at in filter(None, (valid_from, valid_until)):
        prices_change(session, tariff.operator_id, at=at)
    return made


def end_assignment(
    session: Session, assignment: TariffAssignment, *, now: datetime
) -> None:
    """Let it apply no longer; one that has not begun goes without a trace."""
    prices_change(session, assignment.operator_id, at=now)
    if assignment.valid_from >= now:
        session.delete(assignment)
    elif assignment.valid_until is None or assignment.valid_until > now:
        assignment.valid_until = now


def set_ceiling(
    session: Session,
    current: str,
    period: str,
    *,
    paise_per_kwh: int,
    source: str,
    now: datetime,
) -> None:
    """Note a ceiling and who has said so."""
    session.merge(
        PriceCeiling(
            current=current,
            period=period,
            paise_per_kwh=paise_per_kwh,
            source=source,
            updated_at=now,
        )
    )
