"""Times as chargers tell them, and as they want to be told."""

from datetime import UTC, datetime

# Outside of these no clock was meant, and some databases fail to read it back. Whether
# a time can be right is not decided here.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def charger_time(text: str) -> datetime | None:
    """Return the instant; None for what is none, such as 31 February.

    Without an offset it is UTC, as OCPP-J 1.6, section 4.2.3 wants it to be.
    """
    try:
        # Small letters are allowed by RFC 3339, but not by Python.
        at = datetime.fromisoformat(text.strip().upper())
        at = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if EARLIEST <= at < LATEST else None


def wire_time(at: datetime) -> str:
    """Return it in UTC: some chargers read no offsets, and no more digits than this."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
