"""Cards and key fobs that drivers charge with."""

LONGEST_UID = 36  # OCPP 2.0.1 part 2, section 2.28 IdTokenType; in OCPP 1.6 it is 20.


def fold_uid(uid: str) -> str:
    """Return it as it is kept: chargers write the same card in either case."""
    return uid.strip().upper()
