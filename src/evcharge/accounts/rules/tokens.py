"""Bearer tokens: what they look like, and how they are kept."""

import secrets
from datetime import timedelta
from hashlib import sha256

from evcharge.accounts.rules import printable
from evcharge.kernel.errors import Conflict, InvalidInput, NotFound

PREFIX = "evc_"  # So that people, and scanners for leaked secrets, know what it is.
LONGEST_TOKEN_NAME = 80
MOST_TOKENS = 50
USUAL_LIFETIME = timedelta(days=30)
LONGEST_LIFETIME = timedelta(days=365)


class TooManyTokens(Conflict):
    code = "too_many_tokens"
    message = f"You have {MOST_TOKENS} tokens. Revoke those you no longer use."


class TokenNotFound(NotFound):
    code = "token_not_found"
    message = "There is no such token."


class BadTokenName(InvalidInput):
    code = "bad_token_name"
    message = f"Give the token a name of at most {LONGEST_TOKEN_NAME} characters."


def new_token() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is stored. One fast round is enough: nobody guesses 256 bits."""
    return sha256(token.encode(errors="replace")).hexdigest()


def token_name(text: str) -> str:
    """Raises: BadTokenName."""
    if len(text) > LONGEST_TOKEN_NAME or not (name := printable(text).strip()):
        raise BadTokenName
    return name
