"""Cards and key fobs that drivers charge with."""

import re

from evcharge.accounts.rules import printable
from evcharge.kernel.errors import Conflict, InvalidInput, NotFound

LONGEST_UID = 36  # OCPP 2.0.1 part 2, section 2.28 IdTokenType; in OCPP 1.6 it is 20.
LONGEST_LABEL = 60
MOST_CARDS = 20

_UID = re.compile(rf"[A-Z0-9*\-_=:+|@.]{{4,{LONGEST_UID}}}")
_BYTES = re.compile(r"[0-9A-F]{2}(?:[: -][0-9A-F]{2})+")
_BOOKING = "EV-"  # So begin the references of bookings, which chargers take too.


class BadCard(InvalidInput):
    code = "bad_card"
    message = "Type the card's number: 4 to 36 letters or digits."


class CardTaken(Conflict):
    code = "card_taken"
    message = "This card belongs to somebody already."


class TooManyCards(Conflict):
    code = "too_many_cards"
    message = f"They have {MOST_CARDS} cards. Remove those they no longer use."


class CardNotFound(NotFound):
    code = "card_not_found"
    message = "There is no such card."


def fold_uid(uid: str) -> str:
    """Return it as it is kept: chargers write the same card in either case."""
    return uid.strip().upper()


def uid_from_text(text: str) -> str:
    """Read a card's number as printed or as a reader shows it: `04:a1:b2:c3` too.

    Raises: BadCard.
    """
    uid = fold_uid(text)
    if _BYTES.fullmatch(uid):
        uid = re.sub("[: -]", "", uid)
    if not _UID.fullmatch(uid) or uid.startswith(_BOOKING):
        raise BadCard
    return uid


def label_from_text(text: str) -> str:
    return printable(" ".join(text.split()))[:LONGEST_LABEL].strip()
