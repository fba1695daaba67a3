"""A day's money compared, and what differs written down until it is explained."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from evcharge.finance.comparing import (
    Finding,
    Name,
    Ours,
    Stretch,
    Theirs,
    differences,
)
from evcharge.finance.models import Difference, Reconciliation
from evcharge.finance.queries.reconciling import (
    Sums,
    ledger_sums,
    open_difference,
    our_movements,
    stuck,
    without_papers,
)
from evcharge.finance.rules import INDIA, DifferenceKind, NoteMissing

OF_A_DAY = (
    DifferenceKind.MISSING_HERE,
    DifferenceKind.MISSING_THERE,
    DifferenceKind.AMOUNT,
    DifferenceKind.LEDGER,
)
OF_NO_DAY = (DifferenceKind.STUCK, DifferenceKind.DOCUMENT)
GONE = "It has settled itself."
LONGEST_NOTE = 300


def reconcile_day(
    session: Session,
    *,
    day: date,
    provider: str,
    theirs: Mapping[Name, Theirs],
    now: datetime,
) -> None:
    """Compare a day at one provider; write down sums and differences.

    `theirs`: what the provider moved on that day, and a while before and after.
    """
    stretch = Stretch(day)
    ours = our_movements(session, provider, stretch, list(theirs))
    found = list(differences(stretch, ours, theirs, now=now))
    _keep(session, found, day, OF_A_DAY, provider, now)
    sums = (
        _sums(stretch, _on_our_days(theirs, ours)),
        _sums(stretch, ours),
        ledger_sums(session, provider, stretch),
    )
    session.merge(_row(day, provider, *sums, now))


def reconcile_rest(session: Session, *, now: datetime) -> None:
    """Write down what is stuck, and bills without their papers."""
    found = [*stuck(session, now=now), *without_papers(session, now=now)]
    _keep(session, found, now.astimezone(INDIA).date(), OF_NO_DAY, "", now)


def _on_our_days(
    theirs: Mapping[Name, Theirs], ours: Mapping[Name, Ours]
) -> dict[Name, Theirs]:
    """What moved about midnight is not on two days: ours is the day of both."""
    return {
        name: replace(their, at=our.at) if (our := ours.get(name)) and our.at else their
        for name, their in theirs.items()
    }


def _sums(stretch: Stretch, moved: Mapping[Name, Ours] | Mapping[Name, Theirs]) -> Sums:
    found = {"payment": 0, "refund": 0}
    for (kind, _), each in moved.items():
        if stretch.has(each.at):
            found[kind] += each.amount_paise
    return Sums(found["payment"], found["refund"])


def _row(
    day: date, provider: str, theirs: Sums, ours: Sums, ledger: Sums, now: datetime
) -> Reconciliation:
    return Reconciliation(
        day=day,
        provider=provider,
        checked_at=now,
        provider_in_paise=theirs.in_paise,
        provider_out_paise=theirs.out_paise,
        our_in_paise=ours.in_paise,
        our_out_paise=ours.out_paise,
        ledger_in_paise=ledger.in_paise,
        ledger_out_paise=ledger.out_paise,
    )


def _keep(
    session: Session,
    findings: Iterable[Finding],
    day: date,
    kinds: Iterable[DifferenceKind],
    provider: str,
    now: datetime,
) -> None:
    """Write down what is found, and close what is not found any more."""
    seen = set()
    for finding in findings:
        seen.add((finding.kind, finding.subject))
        _note(session, finding, day, provider, now)
    still_open = session.scalars(
        select(Difference).where(
            Difference.resolved_at.is_(None),
            Difference.kind.in_(kinds),
            Difference.provider == provider,
            *([Difference.day == day] if provider else []),
        )
    ).all()
    for difference in still_open:
        if (difference.kind, difference.subject) not in seen:
            difference.resolved_at, difference.resolution = now, GONE


def _note(
    session: Session, finding: Finding, day: date, provider: str, now: datetime
) -> None:
    known = session.scalar(
        select(Difference).where(
            Difference.kind == finding.kind, Difference.subject == finding.subject
        )
    )
    if known is None:
        known = Difference(
            day=day,
            provider=provider,
            kind=finding.kind,
            subject=finding.subject,
            found_at=now,
        )
        session.add(known)
    amounts = (finding.ours_paise, finding.theirs_paise)
    is_news = (known.ours_paise, known.theirs_paise) != amounts
    # What a person has explained stays explained while it is the same.
    if known.resolved_at is not None and (is_news or known.resolved_by is None):
        known.resolved_at, known.resolved_by, known.resolution = None, None, ""
    known.ours_paise, known.theirs_paise = amounts
    known.note, known.seen_at = finding.note, now
    known.payment_id = finding.payment_id
    session.flush()


def resolve(
    session: Session, difference_id: int, *, by: int, note: str, now: datetime
) -> None:
    """A person has looked into it, and says what it was.

    Raises: DifferenceNotFound, NoteMissing.
    """
    note = " ".join(note.split())
    if not 0 < len(note) <= LONGEST_NOTE:
        raise NoteMissing
    difference = open_difference(session, difference_id)
    session.execute(
        update(Difference)
        .where(Difference.id == difference.id, Difference.resolved_at.is_(None))
        .values(resolved_at=now, resolved_by=by, resolution=note)
    )
