"""What our own books say of a day, and what was found different."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, raiseload

from evcharge.billing.models import Bill
from evcharge.finance.comparing import Finding, Name, Ours, Stretch
from evcharge.finance.models import Difference, Reconciliation
from evcharge.finance.rules import DifferenceKind, DifferenceNotFound
from evcharge.invoices.models import TaxDocument
from evcharge.kernel.jobs import Job
from evcharge.ledger.models import LedgerEntry
from evcharge.ledger.rules import EntryKind
from evcharge.payments.models import Payment, Refund
from evcharge.payments.rules import COLLECTED, PaymentStatus, RefundStatus

NAMES_AT_A_TIME = 500
PAPERS_TAKE = timedelta(hours=1)
REFUNDS_TAKE = timedelta(days=1)


@dataclass(frozen=True)
class Sums:
    in_paise: int
    out_paise: int


def our_movements(
    session: Session, provider: str, stretch: Stretch, named: Sequence[Name]
) -> dict[Name, Ours]:
    """Return what moved on a day by our books, and whatever has one of these names."""
    written = _ledger_by_id(session, provider, stretch)
    payments = _our_payments(
        session, provider, _payments_meant(stretch, named), written
    )
    refunds = _our_refunds(session, provider, _refunds_meant(stretch, named), written)
    return dict(chain(payments, refunds))


def _our_payments(
    session: Session,
    provider: str,
    meant: Iterable[ColumnElement[bool]],
    written: Mapping[str, int],
) -> Iterator[tuple[Name, Ours]]:
    for condition in meant:
        rows = session.scalars(
            select(Payment)
            .where(Payment.provider == provider, condition)
            .options(raiseload("*"))
        )
        for each in rows:
            at = each.paid_at if each.status in COLLECTED else None
            paise = written.get(str(each.id), 0)
            ours = Ours(each.amount_paise, at, each.id, paise)
            yield ("payment", each.provider_ref), ours


def _our_refunds(
    session: Session,
    provider: str,
    meant: Iterable[ColumnElement[bool]],
    written: Mapping[str, int],
) -> Iterator[tuple[Name, Ours]]:
    for condition in meant:
        rows = session.scalars(
            select(Refund)
            .join(Payment, Payment.id == Refund.payment_id)
            .where(Payment.provider == provider, condition)
            .options(raiseload("*"))
        )
        for each in rows:
            at = each.done_at if each.status == RefundStatus.DONE else None
            paise = written.get(str(each.id), 0)
            is_sent = each.status == RefundStatus.SENT
            ours = Ours(each.amount_paise, at, each.payment_id, paise, is_sent)
            yield ("refund", str(each.id)), ours


def _payments_meant(
    stretch: Stretch, named: Sequence[Name]
) -> Iterator[ColumnElement[bool]]:
    yield Payment.paid_at.between(stretch.since, stretch.until)
    refs = [ref for kind, ref in named if kind == "payment"]
    for some in _batches(refs):
        yield Payment.provider_ref.in_(some)


def _refunds_meant(
    stretch: Stretch, named: Sequence[Name]
) -> Iterator[ColumnElement[bool]]:
    yield Refund.done_at.between(stretch.since, stretch.until)
    ids = [id_ for kind, ref in named if kind == "refund" if (id_ := _uuid(ref))]
    for some in _batches(ids):
        yield Refund.id.in_(some)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None  # The provider's own name: not a refund of ours.


def _batches(names: Sequence[object]) -> Iterator[Sequence[object]]:
    for at in range(0, len(names), NAMES_AT_A_TIME):
        yield names[at : at + NAMES_AT_A_TIME]


def _of_the_day(provider: str, stretch: Stretch) -> tuple[ColumnElement[bool], ...]:
    return (
        LedgerEntry.provider == provider,
        LedgerEntry.kind.in_([EntryKind.PAYMENT, EntryKind.REFUND_SENT]),
        LedgerEntry.at >= stretch.since,
        LedgerEntry.at < stretch.until,
    )


def _ledger_by_id(session: Session, provider: str, stretch: Stretch) -> dict[str, int]:
    """Return what the ledger has of each payment and refund, whose id is in its key."""
    rows = session.execute(
        select(LedgerEntry.key, LedgerEntry.amount_paise).where(
            *_of_the_day(provider, stretch)
        )
    )
    found: dict[str, int] = {}
    for key, paise in rows:
        id_ = key.split(":")[1]
        found[id_] = found.get(id_, 0) + paise
    return found


def ledger_sums(session: Session, provider: str, stretch: Stretch) -> Sums:
    rows = session.execute(
        select(LedgerEntry.kind, func.sum(LedgerEntry.amount_paise))
        .where(*_of_the_day(provider, stretch))
        .group_by(LedgerEntry.kind)
    )
    sums = {kind: int(paise) for kind, paise in rows}
    return Sums(sums.get(EntryKind.PAYMENT, 0), sums.get(EntryKind.REFUND_SENT, 0))


# ── what no day is the reason of ─────────────────────────────────────────────────


def stuck(session: Session, *, now: datetime) -> Iterator[Finding]:
    """Yield money that is on its way for too long, or that came and was not asked."""
    refunds = session.execute(
        select(Refund.id, Refund.payment_id, Refund.amount_paise, Refund.status).where(
            or_(
                Refund.status == RefundStatus.FAILED,
                Refund.status.in_([RefundStatus.CREATED, RefundStatus.SENT])
                & (Refund.created_at < now - REFUNDS_TAKE),
            )
        )
    )
    for id_, payment_id, paise, status in refunds:
        is_failed = status == RefundStatus.FAILED
        note = "The provider refused it." if is_failed else "Promised over a day ago."
        kind = DifferenceKind.STUCK
        yield Finding(kind, f"refund {id_}", paise, None, note, payment_id)
    payments = session.execute(
        select(Payment.id, Payment.provider_ref, Payment.amount_paise, Payment.failure)
        .where(Payment.status == PaymentStatus.PENDING, Payment.failure.is_not(None))
    )  # fmt: skip
    for id_, ref, paise, failure in payments:
        kind, note = DifferenceKind.STUCK, failure or ""
        yield Finding(kind, f"payment {ref}", paise, None, note, id_)


def without_papers(session: Session, *, now: datetime) -> Iterator[Finding]:
    """Yield bills of registered suppliers that have no document after an hour."""
    has_paper = select(TaxDocument.id).where(TaxDocument.bill_id == Bill.id).exists()
    rows = session.execute(
        select(Bill.id, Bill.reference, Bill.total_paise).where(
            Bill.registration_id.is_not(None),
            Bill.total_paise > 0,
            Bill.created_at < now - PAPERS_TAKE,
            ~has_paper,
        )
    )
    for id_, reference, paise in rows:
        note = f"The bill of {reference} has no tax invoice."
        yield Finding(DifferenceKind.DOCUMENT, f"bill {id_}", paise, None, note)


# ── what was found ───────────────────────────────────────────────────────────────


def open_differences(session: Session, *, limit: int) -> Sequence[Difference]:
    """Return what nobody has explained yet, the oldest first."""
    return session.scalars(
        select(Difference)
        .where(Difference.resolved_at.is_(None))
        .order_by(Difference.day, Difference.id)
        .limit(limit)
    ).all()


def resolved_differences(session: Session, *, limit: int) -> Sequence[Difference]:
    return session.scalars(
        select(Difference)
        .where(Difference.resolved_at.is_not(None))
        .order_by(Difference.resolved_at.desc(), Difference.id.desc())
        .limit(limit)
    ).all()


def count_open_differences(session: Session) -> int:
    counted = select(func.count(Difference.id)).where(Difference.resolved_at.is_(None))
    return session.scalar(counted) or 0


def open_difference(session: Session, difference_id: int) -> Difference:
    """Raises: DifferenceNotFound."""
    found = session.get(Difference, difference_id)
    if found is None or found.resolved_at is not None:
        raise DifferenceNotFound(difference_id=difference_id)
    return found


def days_with_differences(session: Session, *, since: date) -> set[date]:
    return set(
        session.scalars(
            select(Difference.day)
            .where(Difference.resolved_at.is_(None), Difference.day >= since)
            .distinct()
        )
    )


def reconciled_days(session: Session, *, limit: int) -> Sequence[Reconciliation]:
    return session.scalars(
        select(Reconciliation)
        .order_by(Reconciliation.day.desc(), Reconciliation.provider)
        .limit(limit)
    ).all()


def is_asked_for(session: Session, name: str) -> bool:
    """Whether a job of that name waits or runs."""
    waiting = select(Job.id).where(Job.name == name, Job.finished_at.is_(None))
    return session.scalar(waiting.limit(1)) is not None
