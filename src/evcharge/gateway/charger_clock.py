"""What time a charger means. Its clock may be wrong, unset, or written oddly."""

from datetime import UTC, datetime, timedelta

# A clock before that was never set: OCPP 1.6 is of October 2015.
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
# Further ahead than any mistake about time zones.
MOST_AHEAD = timedelta(days=1)


def charger_time(text: str | None, *, now: datetime) -> datetime | None:
    """Return the instant; None for one that cannot be, or for none at all.

    Without an offset it is UTC, as OCPP 1.6J, section 4.2.3 wants it to be.
    """
    try:
        # Small letters are allowed by RFC 3339, but not by Python.
        at = datetime.fromisoformat((text or "").strip().upper())
        at = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if EARLIEST <= at <= now + MOST_AHEAD else None
