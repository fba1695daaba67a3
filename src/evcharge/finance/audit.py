"""Does the ledger say what payments, refunds, bills, dues and papers say?

Asked in sums by item, so that one query finds whatever is missing, too much or twice.
Nothing here shares code with what writes the ledger.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Uuid,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from evcharge.billing.models import Bill
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingStatus
from evcharge.charging import audit as charging_audit
from evcharge.charging.models import ChargingSession
from evcharge.charging.rules import SessionStatus
from evcharge.finance.models import Payout
from evcharge.invoices.models import DocumentSeries, TaxDocument
from evcharge.invoices.rules import DocumentKind
from evcharge.kernel.clock import utc_now
from evcharge.ledger.models import LedgerEntry
from evcharge.ledger.rules import Account, EntryKind
from evcharge.payments.models import CheckoutItem, Due, Payment, Refund
from evcharge.payments.rules import COLLECTED, RefundStatus

# Jobs write bills, shares and papers a moment later; after that they are late.
YOUNG = timedelta(hours=1)
_SHARES = (EntryKind.GST, EntryKind.FEE, EntryKind.HOST, EntryKind.OPERATOR)
_BACK = (
    EntryKind.GST_BACK,
    EntryKind.FEE_BACK,
    EntryKind.HOST_BACK,
    EntryKind.OPERATOR_BACK,
)
_GOING_ON = (SessionStatus.PENDING, SessionStatus.ACTIVE)

Part = Select[*tuple[Any, ...]]


def discrepancies(session: Session) -> list[str]:
    """Return what is wrong anywhere, in words; [] if all is well."""
    return [*charging_audit.discrepancies(session), *money(session, now=utc_now())]


def money(session: Session, *, now: datetime) -> list[str]:
    """Return what is wrong with money; [] if all is well."""
    found: list[str] = []
    for words, parts in _BY_ITEM.items():
        found += _unequal(session, words, parts())
    before = now - YOUNG
    for check in (_overdrawn, _providers, _dues, _series, _invoices):
        found += check(session)
    for late in (_left_over, _not_taken_back, _without_papers, _credit_notes):
        found += late(session, before)
    return found


# ── sums of both sides by item ───────────────────────────────────────────────────


def _entries(*kinds: EntryKind, sign: int = 1) -> Part:
    return _part(
        LedgerEntry.item_kind, LedgerEntry.item_id, sign * LedgerEntry.amount_paise
    ).where(LedgerEntry.kind.in_(kinds))


def _part(kind: Any, item_id: Any, paise: Any) -> Part:
    return select(
        type_coerce(kind, String).label("kind"),
        item_id.label("id"),
        paise.label("paise"),
    )


def _collected() -> Part:
    return (
        _part(CheckoutItem.kind, CheckoutItem.item_id, -CheckoutItem.amount_paise)
        .join(Payment, Payment.checkout_id == CheckoutItem.checkout_id)
        .where(Payment.status.in_(COLLECTED))
    )


def _promised_back(*conditions: ColumnElement[bool]) -> Part:
    return _part(Refund.kind, Refund.item_id, -Refund.amount_paise).where(*conditions)


def _billed(paise: Any) -> Part:
    return _part(Bill.kind, Bill.item_id, -paise)


# What is said of an item whose two sides differ, and what is on them.
_BY_ITEM: dict[str, Callable[[], Sequence[Part]]] = {
    "payments and the ledger disagree": lambda: (
        _entries(EntryKind.PAYMENT),
        _collected(),
    ),
    "refunds and the ledger disagree": lambda: (
        _entries(EntryKind.REFUND, EntryKind.RETURN),
        _promised_back(),
    ),
    "refunds sent and the ledger disagree": lambda: (
        _entries(EntryKind.REFUND_SENT),
        _promised_back(Refund.status == RefundStatus.DONE),
    ),
    "the bill and the sale disagree": lambda: (
        _entries(EntryKind.SALE),
        _billed(Bill.total_paise - Bill.due_paise),
    ),
    "the bill and what is due disagree": lambda: (
        _entries(EntryKind.SALE_DUE),
        _billed(Bill.due_paise),
    ),
    "the bill and its tax disagree": lambda: (
        _entries(EntryKind.GST),
        _billed(Bill.cgst_paise + Bill.sgst_paise + Bill.igst_paise),
    ),
    "payouts and the ledger disagree": lambda: (
        _entries(EntryKind.PAYOUT, EntryKind.HOST_PAYOUT),
        _part(literal("payout"), Payout.id, -Payout.amount_paise),
    ),
    "the sale and its shares disagree": lambda: (
        _entries(EntryKind.SALE, EntryKind.SALE_DUE),
        _entries(*_SHARES, sign=-1),
    ),
}


def _unequal(session: Session, words: str, parts: Sequence[Part]) -> Iterator[str]:
    both = union_all(*parts).subquery()
    total = func.sum(both.c.paise)
    rows = session.execute(
        select(both.c.kind, type_coerce(both.c.id, Uuid()), total)
        .group_by(both.c.kind, both.c.id)
        .having(total != 0)
    )
    for kind, item_id, paise in rows:
        yield f"{kind} {item_id}: {words} by {paise} paise"


# ── what was paid and is not earned ──────────────────────────────────────────────


def _advances() -> Any:
    """What is held for each item: paid, neither earned nor promised back."""
    is_in = LedgerEntry.credit == Account.ADVANCES
    held = func.sum(
        case((is_in, LedgerEntry.amount_paise), else_=-LedgerEntry.amount_paise)
    ).label("held")
    return (
        select(
            LedgerEntry.item_kind.label("kind"), LedgerEntry.item_id.label("id"), held
        )
        .where(or_(is_in, LedgerEntry.debit == Account.ADVANCES))
        .group_by(LedgerEntry.item_kind, LedgerEntry.item_id)
        .having(held != 0)
        .subquery()
    )


def _overdrawn(session: Session) -> Iterator[str]:
    held = _advances()
    for kind, item_id, paise in session.execute(select(held).where(held.c.held < 0)):
        yield f"{kind} {item_id}: {-paise} paise more were used than paid"


def _left_over(session: Session, before: datetime) -> Iterator[str]:
    """Money held for what is over: neither billed nor on its way back."""
    held = _advances()
    over = or_(
        and_(Booking.status != BookingStatus.ACTIVE, Booking.ends_at < before),
        and_(
            ChargingSession.status.not_in(
                [SessionStatus.PENDING, SessionStatus.ACTIVE]
            ),
            ChargingSession.created_at < before,
            or_(ChargingSession.ended_at.is_(None), ChargingSession.ended_at < before),
        ),
        Due.paid_at < before,
        Due.waived_at < before,
    )
    rows = session.execute(
        select(held)
        .outerjoin(Booking, Booking.id == held.c.id)
        .outerjoin(ChargingSession, ChargingSession.id == held.c.id)
        .outerjoin(Due, Due.id == held.c.id)
        .where(held.c.held > 0, over)
    )
    for kind, item_id, paise in rows:
        yield f"{kind} {item_id} is over, and {paise} paise of it are still held"


def _not_taken_back(session: Session, before: datetime) -> Iterator[str]:
    """A refund of what was earned is taken back from those who had earned it."""
    yield from _lacking(
        session,
        "nobody has borne {paise} paise that went back",
        _entries(EntryKind.RETURN).where(LedgerEntry.at < before),
        _entries(*_BACK, sign=-1),
    )
    yield from _lacking(
        session,
        "{paise} paise more were taken back than went back",
        _entries(*_BACK),
        _entries(EntryKind.RETURN, sign=-1),
    )


def _credit_notes(session: Session, before: datetime) -> Iterator[str]:
    """Tax that went back is on credit notes, and no other tax is."""
    yield from _lacking(
        session,
        "{paise} paise of tax went back without a credit note",
        _entries(EntryKind.GST_BACK).where(LedgerEntry.at < before),
        _credited(-1),
    )
    yield from _lacking(
        session,
        "a credit note has {paise} paise of tax that did not go back",
        _credited(1).where(TaxDocument.issued_at < before),
        _entries(EntryKind.GST_BACK, sign=-1),
    )


def _credited(sign: int) -> Part:
    tax = TaxDocument.cgst_paise + TaxDocument.sgst_paise + TaxDocument.igst_paise
    return _part(TaxDocument.item_kind, TaxDocument.item_id, sign * tax).where(
        TaxDocument.kind == DocumentKind.CREDIT_NOTE
    )


def _lacking(session: Session, words: str, *parts: Part) -> Iterator[str]:
    """Say of which items the first part is more than the second takes off."""
    both = union_all(*parts).subquery()
    total = func.sum(both.c.paise)
    rows = session.execute(
        select(both.c.kind, type_coerce(both.c.id, Uuid()), total)
        .group_by(both.c.kind, both.c.id)
        .having(total > 0)
    )
    for kind, item_id, paise in rows:
        yield f"{kind} {item_id}: {words.format(paise=paise)}"


# ── by provider and by location ──────────────────────────────────────────────────


def _providers(session: Session) -> Iterator[str]:
    """What providers hold for us: what came in less what has left."""
    into = case(
        (LedgerEntry.debit == Account.GATEWAY, LedgerEntry.amount_paise),
        else_=-LedgerEntry.amount_paise,
    )
    both = union_all(
        select(LedgerEntry.provider.label("name"), into.label("paise")).where(
            or_(
                LedgerEntry.debit == Account.GATEWAY,
                LedgerEntry.credit == Account.GATEWAY,
            )
        ),
        select(Payment.provider, -Payment.amount_paise).where(
            Payment.status.in_(COLLECTED)
        ),
        select(Payment.provider, Refund.amount_paise)
        .join(Refund, Refund.payment_id == Payment.id)
        .where(Refund.status == RefundStatus.DONE),
    ).subquery()
    total = func.sum(both.c.paise)
    rows = session.execute(
        select(both.c.name, total).group_by(both.c.name).having(total != 0)
    )
    for name, paise in rows:
        yield f"provider {name or 'unnamed'}: the ledger is {paise} paise off"


def _dues(session: Session) -> Iterator[str]:
    owed = case(
        (LedgerEntry.debit == Account.DUES, LedgerEntry.amount_paise),
        else_=-LedgerEntry.amount_paise,
    )
    both = union_all(
        select(LedgerEntry.location_id.label("location"), owed.label("paise")).where(
            or_(LedgerEntry.debit == Account.DUES, LedgerEntry.credit == Account.DUES)
        ),
        select(Due.location_id, -Due.amount_paise).where(
            Due.paid_at.is_(None), Due.waived_at.is_(None)
        ),
    ).subquery()
    total = func.sum(both.c.paise)
    rows = session.execute(
        select(both.c.location, total).group_by(both.c.location).having(total != 0)
    )
    for location_id, paise in rows:
        yield f"location {location_id}: dues and ledger differ by {paise} paise"


# ── papers ───────────────────────────────────────────────────────────────────────


def _without_papers(session: Session, before: datetime) -> Iterator[str]:
    has_invoice = (
        select(TaxDocument.id)
        .where(
            TaxDocument.bill_id == Bill.id,
            TaxDocument.kind == DocumentKind.TAX_INVOICE,
        )
        .exists()
    )
    rows = session.scalars(
        select(Bill.reference).where(
            Bill.registration_id.is_not(None),
            Bill.total_paise > 0,
            Bill.created_at < before,
            ~has_invoice,
        )
    )
    for reference in rows:
        yield f"the bill of {reference} has no tax invoice"


def _invoices(session: Session) -> Iterator[str]:
    tax = (
        (TaxDocument.cgst_paise, Bill.cgst_paise),
        (TaxDocument.sgst_paise, Bill.sgst_paise),
        (TaxDocument.igst_paise, Bill.igst_paise),
        (TaxDocument.total_paise, Bill.total_paise),
    )
    rows = session.scalars(
        select(TaxDocument.number)
        .join(Bill, Bill.id == TaxDocument.bill_id)
        .where(
            TaxDocument.kind == DocumentKind.TAX_INVOICE,
            or_(*(paper != bill for paper, bill in tax)),
        )
    )
    for number in rows:
        yield f"tax invoice {number} and its bill disagree"


def _series(session: Session) -> Iterator[str]:
    """Numbers are consecutive: as many papers as the highest number, and the last."""
    given = (
        select(
            TaxDocument.supplier,
            TaxDocument.kind,
            TaxDocument.financial_year,
            func.count().label("papers"),
            func.max(TaxDocument.sequence).label("highest"),
        )
        .group_by(TaxDocument.supplier, TaxDocument.kind, TaxDocument.financial_year)
        .subquery()
    )
    rows = session.execute(
        select(given.c.supplier, given.c.kind, given.c.financial_year)
        .outerjoin(
            DocumentSeries,
            and_(
                DocumentSeries.supplier == given.c.supplier,
                DocumentSeries.kind == given.c.kind,
                DocumentSeries.financial_year == given.c.financial_year,
            ),
        )
        .where(
            or_(
                given.c.papers != given.c.highest,
                func.coalesce(DocumentSeries.last_number, 0) != given.c.highest,
            )
        )
    )
    for supplier, kind, year in rows:
        yield f"the series of {kind.value} of {supplier} in {year} has a gap"
