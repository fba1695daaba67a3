"""What the pages of reports hang on."""

from flask import Blueprint

admin = Blueprint("reports_admin", "evcharge.reports", template_folder="templates")
