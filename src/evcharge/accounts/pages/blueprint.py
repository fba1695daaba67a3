"""What the account pages hang on, and what several of them ask."""

from flask import Blueprint, current_app
from wtforms import Field

from evcharge.accounts import service
from evcharge.accounts.rules import Credentials, WrongCredentials, WrongPassword
from evcharge.web.context import reading

pages = Blueprint("accounts", "evcharge.accounts", template_folder="templates")


def method() -> str:
    """How passwords are hashed."""
    return str(current_app.config["PASSWORD_METHOD"])


def check_present(email: str, field: Field) -> Credentials:
    """Raises: WrongPassword."""
    try:
        return service.check_credentials(
            reading(), email=email, password=field.data or "", method=method()
        )
    except WrongCredentials:
        raise WrongPassword from None
