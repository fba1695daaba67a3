"""Words about people, and what a name, an e-mail address or a password must be."""

from enum import StrEnum

from evcharge.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound


class Role(StrEnum):
    DRIVER = "driver"
    OPERATOR = "operator"
    ADMIN = "admin"


class UserStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"


class UserNotFound(NotFound):
    code = "user_not_found"
    message = "There is no such person."


class AccountSuspended(NotAllowed):
    code = "account_suspended"
    message = "This account is suspended. Write to us if you think that is wrong."


class EmailTaken(Conflict):
    code = "email_taken"
    message = "There is already an account with this e-mail address."


class WrongCredentials(InvalidInput):
    code = "wrong_credentials"
    message = "That e-mail address and password do not belong together."


def email_key(email: str) -> str:
    """Return the form under which an address is unique: case does not count."""
    return email.strip().casefold()
