"""Which passwords are too easy to guess, and what is stored of the others."""

import re
import unicodedata
from functools import cache
from importlib.resources import files

from werkzeug.security import check_password_hash, generate_password_hash

from evcharge.accounts.rules import WeakPassword, email_key

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 256

ROWS = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1q2w3e4r5t6y7u8i9o0p",
)
TAIL = re.compile(r"[\W\d_]{1,4}$")


def check_password(password: str, *, email: str) -> None:
    """Refuse what is among the first guesses of whoever tries a million.

    Raises: WeakPassword.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise WeakPassword(f"Use at least {SHORTEST_PASSWORD} characters.")
    if len(password) > LONGEST_PASSWORD:
        raise WeakPassword(f"Use at most {LONGEST_PASSWORD} characters.")
    folded = unicodedata.normalize("NFKC", password).casefold()
    if _repeats_itself(folded) or _runs_along_a_row(folded):
        raise WeakPassword("That pattern is easy to guess. Try a few unrelated words.")
    if {folded, TAIL.sub("", folded)} & common_passwords():
        raise WeakPassword("Many people use that one. Try a few unrelated words.")
    name = email_key(email).partition("@")[0].partition("+")[0]
    if name and len(folded.replace(name, "")) < SHORTEST_PASSWORD and name in folded:
        raise WeakPassword("That is too close to your e-mail address.")


@cache
def common_passwords() -> frozenset[str]:
    text = (
        files("evcharge.accounts").joinpath("common_passwords.txt").read_text("utf-8")
    )
    return frozenset(line for line in text.splitlines() if line)


def _repeats_itself(text: str) -> bool:
    """`aaaaaaaa`, `abcabcabc`, `12121212`."""
    return len(set(text)) < 4 or text in (text + text)[1:-1]


def _runs_along_a_row(text: str) -> bool:
    return any(text in row or text in row[::-1] for row in ROWS)


SCRYPT = "scrypt"
MATCHES_NOTHING = "!"  # Stored where nobody logs in any more.


def hash_password(password: str, *, method: str = SCRYPT) -> str:
    """Return what is stored. It takes 60 ms on purpose: never in a transaction."""
    return generate_password_hash(_typed(password), method)


def is_password(
    password: str, password_hash: str | None, *, method: str = SCRYPT
) -> bool:
    """Tell whether it is the one; as slowly when there is nothing to compare with."""
    if password_hash is None or "$" not in password_hash:
        password_hash = f"{method}$nobody$0"
    return check_password_hash(password_hash, _typed(password))


def _typed(password: str) -> str:
    """The same keys give the same text on every system."""
    return unicodedata.normalize("NFC", password)
