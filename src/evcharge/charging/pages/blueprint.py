"""What the pages of charging hang on."""

from flask import Blueprint

pages = Blueprint("charging", "evcharge.charging", template_folder="templates")
