"""What the pages of charging hang on."""

from flask import Blueprint

pages = Blueprint("charging", "evcharge.charging", template_folder="templates")

# Every press of a button that asks something of a charger is a message to it.
ASKING = "20 per minute"
