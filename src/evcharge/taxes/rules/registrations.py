"""What is known of those who have a GSTIN. Plain Python."""

from dataclasses import dataclass

from evcharge.kernel.errors import Conflict, InvalidInput, NotFound

LONGEST_NAME = 120
LONGEST_ADDRESS = 250


class RegistrationNotFound(NotFound):
    code = "registration_not_found"
    message = "There is no such GSTIN here."


class RegistrationKnown(Conflict):
    code = "registration_known"
    message = "This operator has that GSTIN already."


class NotWords(InvalidInput):
    code = "not_words"


@dataclass(frozen=True)
class Registrant:
    """Who is registered, as the certificate says."""

    gstin: str
    legal_name: str
    address: str


class Business(Registrant):
    """A customer with a GSTIN."""


def legal_name_from_text(typed: str) -> str:
    """Raises: NotWords."""
    return _words(typed, LONGEST_NAME, "Write the name as the GST certificate has it.")


def address_from_text(typed: str) -> str:
    """Raises: NotWords."""
    return _words(typed, LONGEST_ADDRESS, "Write the registered address.")


def _words(typed: str, longest: int, missing: str) -> str:
    words = " ".join("".join(c if c.isprintable() else " " for c in typed).split())
    if not words:
        raise NotWords(missing)
    if len(words) > longest:
        raise NotWords(f"Use at most {longest} characters.")
    return words
