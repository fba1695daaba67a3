"""Links that only whoever was given them has: an id, signed for one kind of page."""

from uuid import UUID

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from evcharge.kernel.errors import NotFound


class LinkBroken(NotFound):
    code = "link_broken"
    message = "This link is not complete. Open it again from where you got it."


def sign(kind: str, thing_id: UUID) -> str:
    """Return a text for an address that nobody can make up; `kind` such as "visit"."""
    return str(_serializer(kind).dumps(thing_id.hex))


def read(kind: str, token: str) -> UUID:
    """Return the id that was signed. Raises: LinkBroken."""
    try:
        return UUID(_serializer(kind).loads(token))
    except (BadSignature, ValueError, TypeError, AttributeError):
        raise LinkBroken from None


def _serializer(kind: str) -> URLSafeSerializer:
    # A link of one kind opens no page of another.
    return URLSafeSerializer(str(current_app.secret_key), salt=kind)
