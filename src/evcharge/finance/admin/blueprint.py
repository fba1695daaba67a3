"""What the pages about money hang on."""

from flask import Blueprint

admin = Blueprint("finance_admin", "evcharge.finance", template_folder="templates")
