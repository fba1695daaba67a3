import pytest
from prometheus_client import REGISTRY
from sqlalchemy import delete

from desk import Desk
from evcharge.bookings.audit import discrepancies
from evcharge.bookings.jobs import audit, tidy
from evcharge.bookings.models import SlotClaim
from evcharge.kernel.db import Database
from make import PRICE_PAISE, a_slot


def findings() -> float | None:
    return REGISTRY.get_sample_value("evcharge_audit_findings")


def test_an_audit_that_finds_nothing_says_so(
    database: Database, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.book()

    audit(database, discrepancies=discrepancies)

    assert findings() == 0
    assert caplog.records == []


def test_an_audit_puts_what_it_finds_into_the_log_and_the_metrics(
    database: Database, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    booking = desk.book()
    with database.transaction() as session:
        session.execute(delete(SlotClaim))

    audit(database, discrepancies=discrepancies)

    assert findings() == 1
    assert str(booking.id) in caplog.text


def test_what_was_never_paid_in_full_is_not_called_done(
    database: Database, desk: Desk
) -> None:
    booking = desk.book()
    desk.pay(booking)
    desk.move(booking, a_slot(hours=2), accept_amount_paise=2 * PRICE_PAISE)

    tidy(database)

    assert desk.read(booking.id).status == "CANCELLED"
