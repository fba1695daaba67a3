"""What the account pages hang on, and what several of them ask."""

from flask import Blueprint
from wtforms import Field

from evcharge.accounts.credentials import checked
from evcharge.accounts.rules import Credentials, WrongCredentials, WrongPassword

pages = Blueprint("accounts", "evcharge.accounts", template_folder="templates")


def check_present(email: str, field: Field) -> Credentials:
    """Raises: WrongPassword."""
    try:
        return checked(email, field.data or "")
    except WrongCredentials:
        raise WrongPassword from None
