"""What the console's pages about stations hang on, and what they look for."""

from flask import Blueprint, request

from evcharge.accounts.rules import search_text

admin = Blueprint("network_admin", "evcharge.network", template_folder="templates")


def searched() -> str:
    return search_text(request.args.get("q", ""))
