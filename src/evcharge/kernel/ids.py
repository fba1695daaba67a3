"""Identifiers: where a new one comes from, and the short ones people read out."""

import secrets
from uuid import UUID

from uuid_utils.compat import uuid7

# Crockford's alphabet without the vowels left in it: no 0/O, 1/I/L mix-ups, no words.
READABLE = "23456789BCDFGHJKMNPQRSTVWXYZ"


def new_id() -> UUID:
    """Return a UUIDv7: unique everywhere, and in the order of creation (RFC 9562)."""
    return uuid7()


def new_reference(prefix: str = "EV") -> str:
    """Return a short name such as `EV-7K3M9Q`: one of 482 million, perhaps taken."""
    return f"{prefix}-" + "".join(secrets.choice(READABLE) for _ in range(6))
