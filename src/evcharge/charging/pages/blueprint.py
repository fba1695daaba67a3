"""What the pages of charging hang on."""

from flask import Blueprint

pages = Blueprint("charging", "evcharge.charging", template_folder="templates")

# Every press of a button that asks something of a charger is a message to it.
ASKING = "20 per minute"
# Every visit is a few rows that anybody may cause to be written. Many share an address.
VISITING = "10 per minute; 60 per hour"
