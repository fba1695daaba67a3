"""Money that came in and went back, as operators look through it."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from evcharge.web.context import operator_required

payments_admin = Blueprint(
    "payments_admin", "evcharge.reports", template_folder="templates"
)


@payments_admin.get("/admin/payments")
@operator_required
def payments() -> ResponseReturnValue:
    return "later"
