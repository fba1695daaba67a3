"""Agreements about shares, and what was paid to those who have them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from evcharge.accounts.models import Operator
from evcharge.accounts.rules import OperatorNotFound
from evcharge.billing.models import ShareAgreement
from evcharge.billing.rules import Basis, Party
from evcharge.finance.models import Payout
from evcharge.finance.rules import BadPayout, BadShare, MoreThanOwed, ShareNotFound
from evcharge.kernel.db import changed, insert_missing
from evcharge.ledger.queries import owed_to_host, owed_to_operator
from evcharge.ledger.rules import Entry, EntryKind
from evcharge.ledger.service import post
from evcharge.stations.models import Location
from evcharge.stations.rules import LocationNotFound

MOST_PERCENT = 10_000
MOST_PAISE_PER_KWH = 100_000
LONGEST_REFERENCE = 60
LONGEST_PAYEE = 120


def agree(
    session: Session,
    *,
    operator_id: int,
    location_id: int | None,
    party: Party,
    payee: str,
    basis: Basis,
    value: int,
    valid_from: datetime,
    now: datetime,
) -> ShareAgreement:
    """Say what platform or host get from then on. Bills that are written stay.

    Raises: BadShare, OperatorNotFound, LocationNotFound.
    """
    most = MOST_PERCENT if basis == Basis.PERCENT else MOST_PAISE_PER_KWH
    if not 0 <= value <= most or len(payee) > LONGEST_PAYEE:
        raise BadShare
    if party == Party.HOST and (location_id is None or not payee):
        raise BadShare("Say which location it is, and who hosts it.")
    _lock_operator(session, operator_id)
    _check_location(session, operator_id, location_id)
    agreement = ShareAgreement(
        operator_id=operator_id,
        location_id=location_id,
        party=party,
        payee=payee,
        basis=basis,
        value=value,
        # What is past was shared as it was agreed then.
        valid_from=max(valid_from, now),
        created_at=now,
    )
    session.add(agreement)
    session.flush()
    return agreement


def take_back_agreement(session: Session, agreement_id: int, *, now: datetime) -> None:
    """Forget an agreement that has not begun. Raises: ShareNotFound."""
    statement = delete(ShareAgreement).where(
        ShareAgreement.id == agreement_id, ShareAgreement.valid_from > now
    )
    if not changed(session, statement):
        raise ShareNotFound(agreement_id=agreement_id)


def record_payout(
    session: Session,
    *,
    payout_id: UUID,
    operator_id: int,
    location_id: int | None,
    amount_paise: int,
    reference: str,
    by: int,
    now: datetime,
) -> None:
    """Write down what was paid to an operator, or to the host of a location: once for
    each `payout_id`, and never more than is owed.

    Raises: BadPayout, MoreThanOwed, OperatorNotFound, LocationNotFound.
    """
    if amount_paise <= 0 or not 0 < len(reference) <= LONGEST_REFERENCE:
        raise BadPayout
    # Two payouts at once would both find the money owed.
    _lock_operator(session, operator_id)
    _check_location(session, operator_id, location_id)
    row = {
        "id": payout_id,
        "operator_id": operator_id,
        "location_id": location_id,
        "amount_paise": amount_paise,
        "reference": reference,
        "created_at": now,
        "created_by": by,
    }
    if not insert_missing(session, Payout, [row]):
        return
    owed = (
        owed_to_operator(session, operator_id)
        if location_id is None
        else owed_to_host(session, location_id)
    )
    if amount_paise > owed:
        raise MoreThanOwed
    kind = EntryKind.PAYOUT if location_id is None else EntryKind.HOST_PAYOUT
    entry = Entry(
        kind,
        f"payout:{payout_id}",
        amount_paise,
        now,
        "payout",
        payout_id,
        location_id,
        operator_id=operator_id,
    )
    post(session, [entry])


def _lock_operator(session: Session, operator_id: int) -> None:
    lock = select(Operator.id).where(Operator.id == operator_id).with_for_update()
    if session.scalar(lock) is None:
        raise OperatorNotFound(operator_id=operator_id)


def _check_location(
    session: Session, operator_id: int, location_id: int | None
) -> None:
    if location_id is None:
        return
    owner = select(Location.operator_id).where(Location.id == location_id)
    if session.scalar(owner) != operator_id:
        raise LocationNotFound(location_id=location_id)
