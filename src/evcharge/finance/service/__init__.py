"""What is done to find out whether money agrees, and to make good what is missing."""

from evcharge.finance.service.backfill import bill_old_bookings, write_old_money
from evcharge.finance.service.settling import (
    agree,
    record_payout,
    take_back_agreement,
)

__all__ = [
    "agree",
    "bill_old_bookings",
    "record_payout",
    "take_back_agreement",
    "write_old_money",
]
