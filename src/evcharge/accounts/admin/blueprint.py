"""What the console's pages about people and operators hang on."""

from flask import Blueprint

admin = Blueprint("accounts_admin", "evcharge.accounts", template_folder="templates")
