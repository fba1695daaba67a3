"""Rows about money that a test is not about."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from evcharge.billing.models import ShareAgreement
from evcharge.billing.rules import Basis, Party
from evcharge.finance.models import Difference
from evcharge.finance.rules import DifferenceKind
from evcharge.kernel.clock import utc_now
from evcharge.kernel.ids import new_id
from evcharge.ledger.rules import Entry, EntryKind
from evcharge.ledger.service import post
from evcharge.payments.models import Due
from evcharge.payments.rules import ItemKind


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


def a_due(session: Session, location_id: int, user_id: int, **columns: Any) -> Due:
    """What was supplied on credit, in the ledger too."""
    now = utc_now()
    defaults = {
        "id": new_id(),
        "user_id": user_id,
        "item_kind": ItemKind.SESSION,
        "item_id": new_id(),
        "reference": "CH-234567",
        "location_id": location_id,
        "amount_paise": 4_250,
        "reason": "More was used than paid",
        "created_at": now,
    }
    due = Due(**(defaults | columns))
    session.add(due)
    session.flush()
    key, about = f"sale_due:{due.id}", (due.item_kind, due.item_id, location_id)
    entry = Entry(EntryKind.SALE_DUE, key, due.amount_paise, now, *about)
    post(session, [entry])
    return due
