"""Questions about tax: who supplies under which GSTIN, and what a supply bears."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from evcharge.accounts.models import Operator
from evcharge.stations.models import Location
from evcharge.taxes.models import TaxCustomer, TaxRegistration
from evcharge.taxes.rules import GST_PERCENT, UNTAXED, Treatment
from evcharge.taxes.rules.gstin import state_of
from evcharge.taxes.rules.registrations import RegistrationNotFound
from evcharge.taxes.rules.states import is_same_state, state_name


@dataclass(frozen=True)
class SupplyTax:
    """Who supplies, and how that is taxed.

    `supplier`: a GSTIN, or `operator-<id>` of one who is not registered: the name of
    its series of documents.
    """

    registration_id: int | None
    supplier: str
    treatment: Treatment
    place_of_supply: str


def supply_tax(
    session: Session, location_id: int, *, user_id: int | None, at: datetime
) -> SupplyTax:
    """Return how a supply at a location to somebody is taxed.

    A customer with a GSTIN is supplied where that is registered, others at the
    location; an operator without a registration there supplies from its first one.
    """
    location = session.get_one(Location, location_id)
    place = state_name(location.state)
    registrations = _registrations(session, location.operator_id, at=at)
    registration = _nearest(registrations, location.state)
    if registration is None:
        return SupplyTax(None, f"operator-{location.operator_id}", UNTAXED, place)
    customer = tax_customer(session, user_id)
    if customer is not None:
        place = state_of(customer.gstin)
    return SupplyTax(
        registration_id=registration.id,
        supplier=registration.gstin,
        treatment=_treatment(registration, place),
        place_of_supply=place,
    )


def treatments(
    session: Session, location_ids: Collection[int], *, at: datetime
) -> dict[int, Treatment]:
    """Return how supplies at locations are taxed, to somebody without a GSTIN."""
    rows = session.execute(
        select(Location.id, Location.state, TaxRegistration)
        .outerjoin(
            TaxRegistration,
            (TaxRegistration.operator_id == Location.operator_id) & is_in_force(at),
        )
        .where(Location.id.in_(location_ids))
        .order_by(Location.id, TaxRegistration.id)
    )
    found = {}
    for (location_id, state), group in groupby(rows, key=itemgetter(0, 1)):
        own = [row[2] for row in group if row[2] is not None]
        nearest = _nearest(own, state)
        found[location_id] = (
            UNTAXED if nearest is None else _treatment(nearest, state_name(state))
        )
    return found


def tax_customer(session: Session, user_id: int | None) -> TaxCustomer | None:
    """Return the business a driver wants invoices made out to, if there is one."""
    return None if user_id is None else session.get(TaxCustomer, user_id)


def registrations_in_scope(
    session: Session, scope: Collection[int] | None
) -> Sequence[tuple[TaxRegistration, Operator]]:
    """Return registrations and their operators; scope None: of all operators."""
    query = (
        select(TaxRegistration, Operator)
        .join(Operator, TaxRegistration.operator_id == Operator.id)
        .order_by(Operator.name, TaxRegistration.id)
    )
    if scope is not None:
        query = query.where(TaxRegistration.operator_id.in_(scope))
    return [(row[0], row[1]) for row in session.execute(query)]


def registration_in_scope(
    session: Session, registration_id: int, scope: Collection[int] | None
) -> TaxRegistration:
    """Raises: RegistrationNotFound, also for one of another operator."""
    registration = session.get(TaxRegistration, registration_id)
    if registration is None or (
        scope is not None and registration.operator_id not in scope
    ):
        raise RegistrationNotFound(registration_id=registration_id)
    return registration


def registration_of_operator_or_none(
    session: Session, operator_id: int, gstin: str
) -> TaxRegistration | None:
    return session.scalar(
        select(TaxRegistration).where(
            TaxRegistration.operator_id == operator_id, TaxRegistration.gstin == gstin
        )
    )


def operators_in_scope(
    session: Session, scope: Collection[int] | None
) -> list[Operator]:
    query = select(Operator).order_by(Operator.name)
    if scope is not None:
        query = query.where(Operator.id.in_(scope))
    return list(session.scalars(query))


def _registrations(
    session: Session, operator_id: int, *, at: datetime
) -> Sequence[TaxRegistration]:
    return session.scalars(
        select(TaxRegistration)
        .where(TaxRegistration.operator_id == operator_id, is_in_force(at))
        .order_by(TaxRegistration.id)
    ).all()


def is_in_force(at: datetime) -> ColumnElement[bool]:
    return (TaxRegistration.created_at <= at) & (
        TaxRegistration.ended_at.is_(None) | (TaxRegistration.ended_at > at)
    )


def _nearest(
    registrations: Sequence[TaxRegistration], state: str
) -> TaxRegistration | None:
    """Return the one of that state, else the first, else none."""
    there = (each for each in registrations if is_same_state(each.state, state))
    return next(there, next(iter(registrations), None))


def _treatment(registration: TaxRegistration, place: str) -> Treatment:
    return Treatment(GST_PERCENT, is_same_state(registration.state, place))
