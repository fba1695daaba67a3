"""What the booking pages hang on, and what all of them ask."""

from flask import Blueprint

from evcharge.bookings.rules import Limits
from evcharge.web.context import settings

pages = Blueprint("bookings", "evcharge.bookings", template_folder="templates")


def limits() -> Limits:
    return Limits.of(settings())
