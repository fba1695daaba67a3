"""How often one may try: who shares a count with whom, and what they are told."""

import secrets
import time
from hashlib import sha256
from math import ceil

from flask import Response, current_app, request
from itsdangerous import BadData, URLSafeSerializer

from evcharge.accounts.rules import (
    LONGEST_EMAIL,
    InvalidEmail,
    email_from_text,
    email_key,
)
from evcharge.web.context import current_user
from evcharge.web.shell import limiter

DEVICE_COOKIE = "evcharge_device"
DEVICE_COOKIE_SECONDS = 365 * 24 * 3600


def account_tried() -> str:
    """Whose attempts at logging in count together, from wherever they come.

    A browser that knew the password before counts by itself: somebody who keeps
    guessing keeps strangers out, but not the owner.
    """
    account = _fingerprint(request.form.get("email", ""))
    known, browser = _known_device()
    return f"{account} {browser}" if known == account else account


def email_tried() -> str:
    """The same for programs, which bring no browser that could be known."""
    body = request.get_json(silent=True)
    email = body.get("email") if isinstance(body, dict) else None
    return _fingerprint(email if isinstance(email, str) else "")


def account_changed() -> str:
    return str(current_user().id)


def remember_device(response: Response, email: str) -> None:
    value = _serializer().dumps([_fingerprint(email), secrets.token_urlsafe(9)])
    response.set_cookie(
        DEVICE_COOKIE,
        value,
        max_age=DEVICE_COOKIE_SECONDS,
        path="/login",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def patience() -> str:
    """Say when the limit that was reached lets one try again."""
    reached = limiter.current_limit
    seconds = max(1, ceil(reached.reset_at - time.time())) if reached else 60
    return f"That was a lot of tries. Try again in {seconds} s."


def _fingerprint(email: str) -> str:
    """Addresses are not kept where the counts are. No account has a longer one."""
    key = email_key(_as_known(email[: LONGEST_EMAIL + 1]))
    return sha256(key.encode(errors="replace")).hexdigest()[:32]


def _as_known(email: str) -> str:
    """As accounts are looked up: a domain has many spellings."""
    try:
        return email_from_text(email)
    except InvalidEmail:
        return email


def _known_device() -> tuple[str, str]:
    try:
        account, browser = _serializer().loads(request.cookies.get(DEVICE_COOKIE, ""))
    except (BadData, ValueError, TypeError):
        return "", ""
    return str(account), str(browser)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="known-device")
