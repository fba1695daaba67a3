"""Rows about money that a test is not about."""

from datetime import timedelta

from sqlalchemy.orm import Session

from evcharge.billing.models import ShareAgreement
from evcharge.billing.rules import Basis, Party
from evcharge.finance.models import Difference
from evcharge.finance.rules import DifferenceKind
from evcharge.kernel.clock import utc_now
from evcharge.kernel.ids import new_id


def a_difference(session: Session) -> Difference:
    now = utc_now()
    difference = Difference(
        day=now.date(),
        provider="simulated",
        kind=DifferenceKind.MISSING_HERE,
        subject=f"payment pay_{new_id().hex}",
        theirs_paise=50_000,
        note="We know of nothing of that name.",
        found_at=now,
        seen_at=now,
    )
    session.add(difference)
    session.flush()
    return difference


def an_agreement(session: Session, operator_id: int) -> ShareAgreement:
    """One that begins tomorrow."""
    agreement = ShareAgreement(
        operator_id=operator_id,
        party=Party.PLATFORM,
        basis=Basis.PERCENT,
        value=500,
        valid_from=utc_now() + timedelta(days=1),
        created_at=utc_now(),
    )
    session.add(agreement)
    session.flush()
    return agreement
