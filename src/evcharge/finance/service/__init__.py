"""What is done to find out whether money agrees, and to make good what is missing."""

from evcharge.finance.service.backfill import bill_old_bookings, write_old_money
from evcharge.finance.service.reconciling import (
    reconcile_day,
    reconcile_rest,
    resolve,
)
from evcharge.finance.service.settling import (
    agree,
    record_payout,
    take_back_agreement,
)

__all__ = [
    "agree",
    "bill_old_bookings",
    "reconcile_day",
    "reconcile_rest",
    "record_payout",
    "resolve",
    "take_back_agreement",
    "write_old_money",
]
