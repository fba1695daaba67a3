"""What is refused about tariffs, and what they may be called. Plain Python."""

from evcharge.kernel.errors import Conflict, InvalidInput, NotFound

LONGEST_NAME = 80


class TariffNotFound(NotFound):
    code = "tariff_not_found"
    message = "There is no such tariff here."


class TariffChanged(Conflict):
    code = "tariff_changed"
    message = "Somebody else has changed this tariff meanwhile. Look at it again."


class PlaceNotFound(NotFound):
    code = "place_not_found"
    message = "There is no such place among those of this operator."


class NameNotUsable(InvalidInput):
    code = "name_not_usable"
    message = "This name cannot be used."


class ValidityInvalid(InvalidInput):
    code = "validity_invalid"
    message = "It must end after it begins."


def name_from_text(typed: str) -> str:
    """Raises: NameNotUsable."""
    name = " ".join(typed.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise NameNotUsable(f"Give a name of up to {LONGEST_NAME} letters.")
    return name
