"""Pages with the numbers of a network, its money, and the jobs behind it."""

from evcharge.reports.admin import dashboard, dues, jobs
from evcharge.reports.admin.blueprint import admin
from evcharge.reports.admin.payments import payments_admin

__all__ = ["admin", "dashboard", "dues", "jobs", "payments_admin"]
