"""What the booking pages hang on."""

from flask import Blueprint

pages = Blueprint("bookings", "evcharge.bookings", template_folder="templates")
