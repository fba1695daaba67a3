"""How a process is put together. Whatever knows every feature by name is here."""

from datetime import timedelta

from evcharge.accounts import models as accounts_models
from evcharge.bookings import models as bookings_models
from evcharge.kernel import jobs
from evcharge.kernel.db import Base, Database
from evcharge.kernel.settings import Settings
from evcharge.payments import models as payments_models
from evcharge.payments.rules import ItemKind
from evcharge.payments.service import OnPaid
from evcharge.stations import models as stations_models

TABLES = (jobs, accounts_models, stations_models, payments_models, bookings_models)
metadata = Base.metadata


def open_database(settings: Settings) -> Database:
    return Database(settings.database_url, connections=settings.connections)


# Who is told, in the same transaction, that money for an item has come in.
ON_PAID: dict[ItemKind, OnPaid] = {}

# What jobs do, and how often those that repeat are due.
JOBS: dict[str, jobs.Handler] = {"purge_jobs": jobs.purge_jobs}
SCHEDULE: dict[str, timedelta] = {"purge_jobs": timedelta(hours=1)}
