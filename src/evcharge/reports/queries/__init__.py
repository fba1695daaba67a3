"""Numbers for operators and admins. Reads everything, writes nothing.

A `scope` names the operators whose network is meant; None means every one. The
database adds up; every question is one statement, however much there is.
"""

from evcharge.reports.queries.attention import (
    broken_evses,
    count_chargers,
    count_failures,
    silent_chargers,
)
from evcharge.reports.queries.days import (
    bookings_between,
    bookings_per_day,
    revenue_between,
    revenue_per_day,
    users_between,
    users_per_day,
)
from evcharge.reports.queries.jobs import count_jobs, jobs_that_are
from evcharge.reports.queries.using import usage

__all__ = [
    "bookings_between",
    "bookings_per_day",
    "broken_evses",
    "count_chargers",
    "count_failures",
    "count_jobs",
    "jobs_that_are",
    "revenue_between",
    "revenue_per_day",
    "silent_chargers",
    "usage",
    "users_between",
    "users_per_day",
]
