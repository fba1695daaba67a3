"""What pages and the API ask of the request they serve, where bookings are meant."""

from evcharge.bookings.rules import Actor, ActorKind, Limits
from evcharge.web.context import current_user, settings


def limits() -> Limits:
    return Limits.of(settings())


def actor() -> Actor:
    """Whoever asks, acting for the operator whose network it is."""
    return Actor(ActorKind.OPERATOR, current_user().id)
