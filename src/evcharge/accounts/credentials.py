"""Comparing a password that somebody sent, before and outside of any transaction."""

from flask import current_app

from evcharge.accounts import service
from evcharge.accounts.rules import Credentials
from evcharge.web.context import reading


def hashing_method() -> str:
    return str(current_app.config["PASSWORD_METHOD"])


def checked(email: str, password: str) -> Credentials:
    """Return whose they are. Raises: WrongCredentials, AccountSuspended."""
    return service.check_credentials(
        reading(), email=email, password=password, method=hashing_method()
    )
