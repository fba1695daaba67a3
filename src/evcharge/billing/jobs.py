"""What bills make happen later."""

from uuid import UUID

from evcharge.billing.service import take_back
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database


def credit(database: Database, *, refund_id: str) -> None:
    """Take a refund of what was earned back from those who had earned it."""
    refund = UUID(refund_id)
    database.perform(lambda session: take_back(session, refund, now=utc_now()))
