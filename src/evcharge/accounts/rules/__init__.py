"""Words about people, and what a name, an e-mail address or a password must be."""

import re
import unicodedata
from enum import StrEnum
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

from evcharge.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound

LONGEST_NAME = 120
LONGEST_EMAIL = 254
# Putting a text into its composed form can take time that grows with the square of
# its length. Nothing longer is put there; composing makes no name that much shorter.
MOST_COMPOSED = 4 * LONGEST_NAME


class Role(StrEnum):
    DRIVER = "driver"
    OPERATOR = "operator"
    ADMIN = "admin"


class UserStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"


class Profile(NamedTuple):
    """What people say about themselves, checked and in its normal form."""

    name: str
    email: str
    phone: str | None


def nobody(user_id: int) -> Profile:
    """Who stands in old bookings and payments for somebody who left."""
    return Profile("Somebody who left", f"left-{user_id}@deleted.invalid", None)


class Credentials(NamedTuple):
    """What a password is compared with, before and outside of any transaction."""

    user_id: int
    password_hash: str
    status: UserStatus


class UserFilter(NamedTuple):
    """Which people an admin looks for; empty means everybody."""

    text: str = ""
    role: Role | None = None
    status: UserStatus | None = None


class UserNotFound(NotFound):
    code = "user_not_found"
    message = "There is no such person."


class OperatorNotFound(NotFound):
    code = "operator_not_found"
    message = "There is no such operator."


class OperatorNameTaken(Conflict):
    code = "operator_name_taken"
    message = "There is already an operator with this name."


class AccountSuspended(NotAllowed):
    code = "account_suspended"
    message = "This account is suspended. Write to us if you think that is wrong."


class EmailTaken(Conflict):
    code = "email_taken"
    message = "There is already an account with this e-mail address."


class PasswordChanged(Conflict):
    code = "password_changed"
    message = "Your password was changed a moment ago. Log in with the new one."


class WrongCredentials(InvalidInput):
    code = "wrong_credentials"
    message = "That e-mail address and password do not belong together."


class WrongPassword(InvalidInput):
    code = "wrong_password"
    message = "That is not your present password."


class InvalidName(InvalidInput):
    code = "invalid_name"


class InvalidEmail(InvalidInput):
    code = "invalid_email"
    message = "Check the e-mail address. It looks like name@example.com."


class InvalidPhone(InvalidInput):
    code = "invalid_phone"
    message = "Type ten digits, or a number that starts with + and the country."


class WeakPassword(InvalidInput):
    code = "weak_password"


class UnknownRole(InvalidInput):
    code = "unknown_role"
    message = "Choose driver, operator or admin."


class StillBooked(Conflict):
    code = "still_booked"
    message = "You have upcoming bookings. Cancel them first, or come back after them."


class StillAdmin(Conflict):
    code = "still_admin"
    message = "Admins cannot leave. Ask another admin to make you a driver first."


class OwnAccount(Conflict):
    code = "own_account"
    message = "You cannot do that to your own account. Ask another admin."


class LastAdmin(Conflict):
    code = "last_admin"
    message = "This is the only admin. Make somebody else an admin first."


class NotAnAdminNow(NotAllowed):
    code = "not_an_admin_now"
    message = "Only an admin can do that."


class NotAnOperator(Conflict):
    code = "not_an_operator"
    message = "Give this person the operator role first."


# Names


def name_from_text(text: str, *, whose: str = "your") -> str:
    """Return a name without spare spaces, in Unicode's composed form.

    Raises: InvalidName.
    """
    if text != printable(text):
        raise InvalidName(f"Type {whose} name without special characters.")
    spaced = " ".join(text.split())
    name = unicodedata.normalize("NFC", spaced[:MOST_COMPOSED])
    if not any(letter.isalnum() for letter in name):
        raise InvalidName(f"Type {whose} name.")
    if len(spaced) > MOST_COMPOSED or len(name) > LONGEST_NAME:
        raise InvalidName(f"Use at most {LONGEST_NAME} characters.")
    return name


def operator_name_from_text(text: str) -> str:
    """Raises: InvalidName."""
    name = name_from_text(text, whose="the operator's")
    if len(name_key(name)) > LONGEST_NAME:  # Folding case can make it longer.
        raise InvalidName(f"Use at most {LONGEST_NAME} characters.")
    return name


def name_key(name: str) -> str:
    """Return the form under which an operator's name is unique."""
    return unicodedata.normalize("NFC", name.casefold())


def printable(text: str) -> str:
    return "".join(letter for letter in text if _is_printable(letter))


def _is_printable(letter: str) -> bool:
    """Control characters could end a line or a C string.

    Of those that only steer how text is laid out, Indic scripts need the two
    joiners; the others could make a name read as another.
    """
    if letter in "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}":
        return True
    if letter == "\N{REPLACEMENT CHARACTER}":  # What was sent was not UTF-8.
        return False
    return unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def search_text(text: str) -> str:
    """Return what may safely be looked for: PostgreSQL's text takes no NUL."""
    kept = printable(text).strip()[:MOST_COMPOSED]
    return unicodedata.normalize("NFC", kept).strip()[:LONGEST_NAME]


# E-mail addresses


def email_from_text(text: str) -> str:
    """Return the address in its normal form; nobody is asked whether it exists.

    Raises: InvalidEmail.
    """
    if len(text) > LONGEST_EMAIL or text != printable(text):
        raise InvalidEmail
    try:
        checked = validate_email(text.strip(), check_deliverability=False, strict=True)
    except EmailNotValidError:
        raise InvalidEmail from None
    if len(email_key(checked.normalized)) > LONGEST_EMAIL:
        raise InvalidEmail  # Folding case can make it longer.
    return checked.normalized


def email_key(email: str) -> str:
    """Return the form under which an address is unique: case does not count."""
    composed = unicodedata.normalize("NFC", email.strip())
    return unicodedata.normalize("NFC", composed.casefold())


# Telephone numbers

INDIAN = re.compile(r"(?:\+91|91|0)?([6-9][0-9]{9})")
FOREIGN = re.compile(r"\+[1-9][0-9]{7,14}")  # ITU-T E.164: at most 15 digits.


def phone_from_text(text: str) -> str | None:
    """Return a number as `+919845012345`; None for an empty field.

    Raises: InvalidPhone.
    """
    digits = "".join(
        str(int(sign)) if sign.isdecimal() else sign
        for sign in unicodedata.normalize("NFKC", text[:LONGEST_NAME])
        if sign not in " -().\u00a0"
    )
    if not digits:
        return None
    if indian := INDIAN.fullmatch(digits):
        return f"+91{indian[1]}"
    if FOREIGN.fullmatch(digits) and len(text) <= LONGEST_NAME:
        return digits
    raise InvalidPhone


# Numbers of companies that are free or cost the same from everywhere in India.
TOLL_FREE = re.compile(r"1(?:800|860)[0-9]{6,7}")


def support_phone_from_text(text: str) -> str | None:
    """As `phone_from_text`, and numbers such as 1800 123 4567.

    Raises: InvalidPhone.
    """
    digits = "".join(sign for sign in text if sign not in " -")
    return digits if TOLL_FREE.fullmatch(digits) else phone_from_text(text)


def spaced_phone(phone: str) -> str:
    """`+91 98450 12345`, as it is read out."""
    if phone.startswith("+91") and len(phone) == len("+919845012345"):
        return f"+91 {phone[3:8]} {phone[8:]}"
    return phone
