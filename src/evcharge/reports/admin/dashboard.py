"""The first page of the console."""

from flask import render_template
from flask.typing import ResponseReturnValue

from evcharge.reports.admin.blueprint import admin
from evcharge.web.context import operator_required


@admin.get("/admin/")
@operator_required
def dashboard() -> ResponseReturnValue:
    return render_template("reports/admin/dashboard.html")
