"""What can happen to registrations, and to how drivers want their invoices."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from evcharge.kernel.db import insert_into
from evcharge.taxes.models import TaxCustomer, TaxRegistration
from evcharge.taxes.queries import registration_of_operator_or_none
from evcharge.taxes.rules.gstin import state_of
from evcharge.taxes.rules.registrations import (
    Business,
    Registrant,
    RegistrationKnown,
)


def register(
    session: Session, operator_id: int, registrant: Registrant, *, now: datetime
) -> TaxRegistration:
    """Note a GSTIN of an operator; supplies from now on are under it.

    One that had ended begins again. Raises: RegistrationKnown.
    """
    known = registration_of_operator_or_none(session, operator_id, registrant.gstin)
    if known is not None and known.ended_at is None:
        raise RegistrationKnown
    if known is None:
        known = TaxRegistration(
            operator_id=operator_id,
            gstin=registrant.gstin,
            state=state_of(registrant.gstin),
            created_at=now,
        )
        session.add(known)
    known.legal_name, known.address = registrant.legal_name, registrant.address
    known.ended_at = None
    session.flush()
    return known


def end_registration(
    session: Session, registration: TaxRegistration, *, now: datetime
) -> None:
    """Charge no tax under it any more. Ending it again changes nothing."""
    registration.ended_at = registration.ended_at or now


def invoice_business(
    session: Session, user_id: int, business: Business, *, now: datetime
) -> None:
    """Make out a driver's invoices to a business from now on."""
    values = vars(business) | {"updated_at": now}
    statement = insert_into(session, TaxCustomer).values(user_id=user_id, **values)
    session.execute(
        statement.on_conflict_do_update(index_elements=["user_id"], set_=values)
    )


def invoice_person(session: Session, user_id: int) -> None:
    """Make out a driver's invoices to themselves again."""
    session.execute(delete(TaxCustomer).where(TaxCustomer.user_id == user_id))
