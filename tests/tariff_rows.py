"""Tariffs and GSTINs as rows: for tests of those who only use them."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

import make
from evcharge.tariffs.models import Tariff, TariffAssignment
from evcharge.tariffs.rules import Terms
from evcharge.taxes.models import TaxRegistration
from make import NOON

GSTIN = "29AAACE1234F1Z5"


def per_kwh(paise: int, **more: object) -> Terms:
    """So much for each kWh, before tax."""
    component = {"type": "ENERGY", "price_paise": paise}
    return Terms.from_json({"elements": [{"components": [component]}], **more})


def applying_nowhere(operator_id: int, terms: Terms) -> Tariff:
    return Tariff(
        operator_id=operator_id,
        name="Test tariff",
        terms=terms.as_json(),
        created_at=NOON,
        updated_at=NOON,
    )


def a_tariff(
    session: Session, *, terms: Terms, valid_from: datetime | None = None
) -> Tariff:
    """A tariff of all that the operator of tests has."""
    operator = make.an_operator(session)
    made = applying_nowhere(operator.id, terms)
    made.assignments = [
        TariffAssignment(
            operator_id=operator.id,
            valid_from=valid_from or NOON - timedelta(days=30),
        )
    ]
    session.add(made)
    session.flush()
    return made


def a_registration(session: Session, *, state: str) -> TaxRegistration:
    operator = make.an_operator(session)
    known = session.scalar(
        select(TaxRegistration).where(TaxRegistration.operator_id == operator.id)
    )
    if known is not None:
        return known
    made = TaxRegistration(
        operator_id=operator.id,
        gstin=GSTIN,
        state=state,
        legal_name="Test Power Private Limited",
        address="12 MG Road, Bengaluru 560001",
        created_at=NOON - timedelta(days=300),
    )
    session.add(made)
    session.flush()
    return made
