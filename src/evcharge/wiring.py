"""How a process is put together. Whatever knows every feature by name is here."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from evcharge.accounts import models as accounts_models
from evcharge.billing import jobs as billing_jobs
from evcharge.billing import models as billing_models
from evcharge.bookings import jobs as bookings_jobs
from evcharge.bookings import models as bookings_models
from evcharge.bookings.queries import booking_counts
from evcharge.bookings.service import confirm_paid
from evcharge.charging import jobs as charging_jobs
from evcharge.charging import models as charging_models
from evcharge.charging.service import confirm_prepaid, on_answered
from evcharge.control import models as control_models
from evcharge.control.models import ChargerCommand
from evcharge.favourites import models as favourites_models
from evcharge.favourites.service import remove_all
from evcharge.finance import jobs as finance_jobs
from evcharge.finance import models as finance_models
from evcharge.finance.audit import discrepancies
from evcharge.invoices import jobs as invoices_jobs
from evcharge.invoices import models as invoices_models
from evcharge.kernel import jobs
from evcharge.kernel.db import Base, Database
from evcharge.kernel.settings import Settings
from evcharge.ledger import models as ledger_models
from evcharge.payments import jobs as payments_jobs
from evcharge.payments import models as payments_models
from evcharge.payments.providers import Providers
from evcharge.payments.providers.razorpay import Razorpay
from evcharge.payments.providers.simulated import Simulated
from evcharge.payments.rules import ItemKind
from evcharge.payments.service import OnPaid, settle_due
from evcharge.stations import jobs as stations_jobs
from evcharge.stations import models as stations_models
from evcharge.tariffs import jobs as tariffs_jobs
from evcharge.tariffs import models as tariffs_models
from evcharge.taxes import models as taxes_models
from evcharge.taxes.service import invoice_person

TABLES = (
    jobs,
    accounts_models,
    stations_models,
    control_models,
    taxes_models,
    tariffs_models,
    ledger_models,
    payments_models,
    billing_models,
    invoices_models,
    bookings_models,
    charging_models,
    finance_models,
    favourites_models,
)
metadata = Base.metadata


def open_database(settings: Settings) -> Database:
    return Database(settings.database_url, connections=settings.connections)


# Who is told, in the same transaction, that money for an item has come in.
ON_PAID: dict[ItemKind, OnPaid] = {
    ItemKind.BOOKING: confirm_paid,
    ItemKind.SESSION: confirm_prepaid,
    ItemKind.DUE: settle_due,
}

# What becomes of a command when its charger has answered, in the same transaction.
OnAnswered = Callable[[Session, ChargerCommand, datetime], None]
ON_ANSWERED: OnAnswered = on_answered


def upcoming_bookings(session: Session, user_id: int, now: datetime) -> int:
    """Whoever has some does not delete their account yet."""
    return booking_counts(session, user_id, now=now)["upcoming"]


def forget(session: Session, user_id: int) -> None:
    """Take away what features keep about a person who leaves."""
    invoice_person(session, user_id)
    remove_all(session, user_id)


# What jobs do, and how often those that repeat are due.
JOBS: dict[str, jobs.Handler] = {
    "billing.credit": billing_jobs.credit,
    "bookings.audit": partial(bookings_jobs.audit, discrepancies=discrepancies),
    "bookings.tidy": bookings_jobs.tidy,
    "charging.give_up": charging_jobs.give_up,
    "charging.settle": charging_jobs.settle_item,
    "charging.tidy": charging_jobs.tidy,
    "invoices.invoice": invoices_jobs.invoice,
    "invoices.mail": invoices_jobs.mail,
    "invoices.receipt": invoices_jobs.receipt,
    "invoices.refund_paper": invoices_jobs.refund_paper,
    "finance.backfill": finance_jobs.backfill,
    "purge_jobs": jobs.purge_jobs,
    "stations.refresh_reliability": stations_jobs.refresh_reliability,
    "tariffs.price_new": tariffs_jobs.price_new,
    "tariffs.refresh_prices": tariffs_jobs.refresh_all_prices,
}
SCHEDULE: jobs.Timetable = {
    "bookings.audit": timedelta(hours=1),
    "bookings.tidy": timedelta(seconds=15),
    "charging.give_up": timedelta(seconds=10),
    "charging.tidy": timedelta(seconds=15),
    "control.purge": timedelta(hours=1),
    "finance.reconcile": timedelta(hours=1),
    "payments.reconcile": timedelta(minutes=1),
    "payments.reconcile_refunds": timedelta(minutes=10),
    "purge_jobs": timedelta(hours=1),
    "stations.refresh_reliability": timedelta(hours=6),
    "tariffs.price_new": timedelta(seconds=30),
    "tariffs.refresh_prices": timedelta(days=1),
}


def payment_providers(settings: Settings, database: Database) -> Providers:
    """The simulated gateway only where it is wanted: its money is none."""
    if settings.payments == "simulated":
        return Providers(Simulated(database, settings.secret_key))
    return Providers(
        Razorpay(
            key_id=settings.razorpay_key_id,
            key_secret=settings.razorpay_key_secret,
            webhook_secrets=settings.razorpay_webhook_secrets,
            url=settings.razorpay_url,
        )
    )


def job_handlers(settings: Settings, database: Database) -> jobs.Handlers:
    """Return JOBS and those that need more than a database: secrets of providers."""
    gateway = Simulated(database, settings.secret_key)
    providers = payment_providers(settings, database)
    return JOBS | {
        "control.purge": partial(
            charging_jobs.purge, keep=timedelta(days=settings.charger_log_days)
        ),
        "finance.reconcile": partial(finance_jobs.reconcile, providers=providers),
        "payments.send_refund": partial(payments_jobs.send_refund, providers=providers),
        "payments.reconcile": partial(
            payments_jobs.reconcile, providers=providers, on_paid=ON_PAID
        ),
        "payments.reconcile_refunds": partial(
            payments_jobs.reconcile_refunds, providers=providers
        ),
        "payments.deliver_simulated": partial(
            payments_jobs.deliver_simulated, gateway=gateway, on_paid=ON_PAID
        ),
    }
