"""What is done to find out whether money agrees, and to make good what is missing."""

from evcharge.finance.service.backfill import bill_old_bookings, write_old_money

__all__ = ["bill_old_bookings", "write_old_money"]
