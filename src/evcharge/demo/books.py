"""The demo's ledger: what its history of bookings comes to in the books."""

import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from evcharge.billing.models import Bill, ShareAgreement
from evcharge.billing.rules import Basis, Party, ShareTerm
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingStatus
from evcharge.demo.places import Place
from evcharge.demo.rows import Names, Row, Rows
from evcharge.finance.old_bills import Site, entries_of_bill, old_bill
from evcharge.ledger.rules import Entry, EntryKind
from evcharge.ledger.service import post
from evcharge.payments.rules import COLLECTED
from evcharge.stations.models import Location

SEED = 5
FEE = ShareTerm(Basis.PERCENT, 500)
HOST = ShareTerm(Basis.PERCENT, 1_000)
# Whoever owns a market or a rest stop gets a part of what is earned there.
HOSTED = frozenset({"market", "highway_hub"})
AGREED = timedelta(days=400)


class Books:
    """Knows by EVSE where it stands, and who gets a part of what is earned there."""

    def __init__(self, places: Iterable[tuple[Place, Location]]) -> None:
        self._sites: dict[int, Site] = {}
        self._hosts: dict[int, str] = {}
        self._operators: set[int] = set()
        for place, location in places:
            site = Site(location.id, location.operator_id, location.name)
            self._operators.add(site.operator_id)
            if place.site in HOSTED:
                self._hosts[site.location_id] = f"Owners of {place.name}"[:120]
            for charger in location.chargers:
                self._sites |= {evse.id: site for evse in charger.evses}

    def say_where(self, rows: Rows) -> None:
        """Write down at which site every item that is paid for is."""
        evses = {booking["id"]: booking["evse_id"] for booking in rows.bookings}
        for item in rows.checkout_items:
            item["location_id"] = self._sites[evses[item["item_id"]]].location_id

    def save(self, session: Session, rows: Rows, *, now: datetime) -> None:
        """Write agreements, bills and the ledger of what is saved in `rows`."""
        operators = {
            site.location_id: site.operator_id for site in self._sites.values()
        }
        session.add_all(self._agreements(operators, now - AGREED))
        bills = list(self._bills(rows, now))
        session.execute(insert(Bill.__table__), [_row_of(bill) for bill in bills])  # type: ignore[arg-type]
        post(session, _entries(rows))
        post(session, (entry for bill in bills for entry in entries_of_bill(bill)))

    def _agreements(
        self, operators: Mapping[int, int], at: datetime
    ) -> Iterator[ShareAgreement]:
        for operator_id in sorted(self._operators):
            yield _agreement(operator_id, Party.PLATFORM, FEE, at)
        for location_id, payee in self._hosts.items():
            yield _agreement(
                operators[location_id],
                Party.HOST,
                HOST,
                at,
                location_id=location_id,
                payee=payee,
            )

    def _bills(self, rows: Rows, now: datetime) -> Iterator[Bill]:
        names = Names(random.Random(SEED))  # noqa: S311 - the same demo for everybody.
        for row in rows.bookings:
            if row["status"] != BookingStatus.ACTIVE and row["paid_paise"]:
                booking = Booking(**row)
                site = self._sites[booking.evse_id]
                id_ = names.new_id(booking.created_at)
                bill = old_bill(id_, booking, site, until=now)
                bill.fee_paise = FEE.of(bill.net_paise, bill.energy_wh)
                if site.location_id in self._hosts:
                    bill.host_paise = HOST.of(bill.net_paise, bill.energy_wh)
                yield bill


def _agreement(
    operator_id: int, party: Party, term: ShareTerm, at: datetime, **columns: object
) -> ShareAgreement:
    return ShareAgreement(
        operator_id=operator_id,
        party=party,
        basis=term.basis,
        value=term.value,
        valid_from=at,
        created_at=at,
        **columns,
    )


def _row_of(bill: Bill) -> Row:
    return {
        column.name: getattr(bill, column.name) for column in Bill.__table__.columns
    }


def _entries(rows: Rows) -> Iterator[Entry]:
    payments = {payment["id"]: payment for payment in rows.payments}
    items: dict[UUID, Row] = {item["checkout_id"]: item for item in rows.checkout_items}
    for payment in rows.payments:
        if payment["status"] in COLLECTED:
            item = items[payment["checkout_id"]]
            key = f"payment:{payment['id']}:{item['item_id']}"
            paise, at = item["amount_paise"], payment["paid_at"]
            yield _entry(EntryKind.PAYMENT, key, paise, at, item)
    for refund in rows.refunds:
        item = items[payments[refund["payment_id"]]["checkout_id"]]
        paise = refund["amount_paise"]
        for kind, at in (
            (EntryKind.REFUND, refund["created_at"]),
            (EntryKind.REFUND_SENT, refund["done_at"]),
        ):
            yield _entry(kind, f"{kind}:{refund['id']}", paise, at, item)


def _entry(kind: EntryKind, key: str, paise: int, at: datetime, item: Row) -> Entry:
    about = (item["kind"], item["item_id"], item["location_id"], "simulated")
    return Entry(kind, key, paise, at, *about)
