"""What is owed to operators and hosts, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import Session

from evcharge.accounts.models import Operator, User
from evcharge.billing.models import Bill, ShareAgreement
from evcharge.billing.rules import Party
from evcharge.finance.models import Payout
from evcharge.finance.rules import NOTHING, Figures, host_payable_paise, payable_paise
from evcharge.ledger.models import LedgerEntry
from evcharge.stations.models import Location
from evcharge.stations.queries import Scope

# An operator, and one of its locations or none of them in particular.
Place = tuple[int, int | None]


@dataclass
class SiteLine:
    """A location: what it brought in the month, and what came before."""

    location_id: int | None
    name: str
    figures: Figures = NOTHING
    before: Figures = NOTHING
    host: str = ""

    @property
    def owed_to_host_paise(self) -> int:
        return host_payable_paise(self.before + self.figures)


@dataclass
class Settlement:
    """An operator's month: its locations, and the balance before and after."""

    operator_id: int
    name: str
    sites: list[SiteLine] = field(default_factory=list)

    @property
    def figures(self) -> Figures:
        return sum((site.figures for site in self.sites), NOTHING)

    @property
    def opening_paise(self) -> int:
        return payable_paise(sum((site.before for site in self.sites), NOTHING))

    @property
    def closing_paise(self) -> int:
        return self.opening_paise + payable_paise(self.figures)

    @property
    def listed(self) -> list[SiteLine]:
        """Locations only: what was paid to the operator as a whole is in the sums."""
        return [site for site in self.sites if site.location_id is not None]


def settlements(
    session: Session,
    scope: Scope,
    *,
    since: datetime,
    until: datetime,
    operator_id: int | None = None,
) -> list[Settlement]:
    """Return every operator of a network, by name, with what it earned in a stretch."""
    found = _operators(session, scope, operator_id)
    lines = _lines(session, list(found), since, until)
    for (owner, _), line in lines.items():
        found[owner].sites.append(line)
    for settlement in found.values():
        settlement.sites.sort(key=lambda site: site.name)
    return list(found.values())


def _operators(
    session: Session, scope: Scope, operator_id: int | None
) -> dict[int, Settlement]:
    operators = select(Operator.id, Operator.name).order_by(Operator.name)
    if scope is not None:
        operators = operators.where(Operator.id.in_(scope))
    if operator_id is not None:
        operators = operators.where(Operator.id == operator_id)
    return {id_: Settlement(id_, name) for id_, name in session.execute(operators)}


def _lines(
    session: Session, operators: Sequence[int], since: datetime, until: datetime
) -> dict[Place, SiteLine]:
    lines: dict[Place, SiteLine] = {}
    for owner, location_id, name, *sums in _sums(session, operators, since, until):
        line = lines.setdefault((owner, location_id), SiteLine(location_id, name or ""))
        kind, before, within = sums
        line.before += Figures({kind: int(before)})
        line.figures += Figures({kind: int(within)})
    for owner, location_id, energy_wh in _energy(session, operators, since, until):
        if line_ := lines.get((owner, location_id)):
            line_.figures += Figures({}, int(energy_wh))
    for place, payee in _hosts(session, operators).items():
        if line_ := lines.get(place):
            line_.host = payee
    return lines


def _sums(
    session: Session, operators: Sequence[int], since: datetime, until: datetime
) -> Sequence[Row[*tuple[Any, ...]]]:
    paise = LedgerEntry.amount_paise
    is_before = LedgerEntry.at < since
    return session.execute(
        select(
            LedgerEntry.operator_id,
            LedgerEntry.location_id,
            Location.name,
            LedgerEntry.kind,
            func.sum(case((is_before, paise), else_=0)),
            func.sum(case((is_before, 0), else_=paise)),
        )
        .outerjoin(Location, Location.id == LedgerEntry.location_id)
        .where(LedgerEntry.operator_id.in_(operators), LedgerEntry.at < until)
        .group_by(
            LedgerEntry.operator_id,
            LedgerEntry.location_id,
            Location.name,
            LedgerEntry.kind,
        )
    ).all()


def _energy(
    session: Session, operators: Sequence[int], since: datetime, until: datetime
) -> Sequence[Row[*tuple[Any, ...]]]:
    return session.execute(
        select(Bill.operator_id, Bill.location_id, func.sum(Bill.energy_wh))
        .where(
            Bill.operator_id.in_(operators),
            Bill.created_at >= since,
            Bill.created_at < until,
        )
        .group_by(Bill.operator_id, Bill.location_id)
    ).all()


def _hosts(session: Session, operators: Sequence[int]) -> dict[Place, str]:
    """Return who hosts a location: the payee of its latest agreement."""
    rows = session.execute(
        select(
            ShareAgreement.operator_id,
            ShareAgreement.location_id,
            ShareAgreement.payee,
        )
        .where(
            ShareAgreement.operator_id.in_(operators),
            ShareAgreement.party == Party.HOST,
            ShareAgreement.location_id.is_not(None),
        )
        .order_by(ShareAgreement.valid_from, ShareAgreement.id)
    )
    return {(owner, location_id): payee for owner, location_id, payee in rows}


# ── agreements and payouts ───────────────────────────────────────────────────────


@dataclass(frozen=True)
class AgreementLine:
    agreement: ShareAgreement
    location_name: str | None


def agreements_of(session: Session, operator_id: int) -> list[AgreementLine]:
    rows = session.execute(
        select(ShareAgreement, Location.name)
        .outerjoin(Location, Location.id == ShareAgreement.location_id)
        .where(ShareAgreement.operator_id == operator_id)
        .order_by(
            ShareAgreement.party.desc(),
            Location.name,
            ShareAgreement.valid_from.desc(),
        )
    )
    return [AgreementLine(agreement, name) for agreement, name in rows]


@dataclass(frozen=True)
class PayoutLine:
    payout: Payout
    location_name: str | None
    by: str


def payouts_of(session: Session, operator_id: int, *, limit: int) -> list[PayoutLine]:
    rows = session.execute(
        select(Payout, Location.name, User.name)
        .outerjoin(Location, Location.id == Payout.location_id)
        .join(User, User.id == Payout.created_by)
        .where(Payout.operator_id == operator_id)
        .order_by(Payout.created_at.desc(), Payout.id.desc())
        .limit(limit)
    )
    return [PayoutLine(payout, name, by) for payout, name, by in rows]


def locations_of(session: Session, operator_id: int) -> dict[int, str]:
    rows = session.execute(
        select(Location.id, Location.name)
        .where(Location.operator_id == operator_id)
        .order_by(Location.name)
    )
    return dict(rows.all())
