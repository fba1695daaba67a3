"""The web program: `create_app` puts the features into the shell."""

from datetime import timedelta
from uuid import UUID

from flask import Flask
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from sqlalchemy.orm import Session
from werkzeug.middleware.proxy_fix import ProxyFix

from evcharge.accounts.admin import admin as accounts_admin
from evcharge.accounts.api import api as accounts_api
from evcharge.accounts.models import User
from evcharge.accounts.pages import pages as accounts_pages
from evcharge.accounts.queries import (
    Holder,
    operators_of,
    signed_in_user_or_none,
    token_holder_or_none,
)
from evcharge.accounts.rules.passwords import SCRYPT
from evcharge.accounts.rules.tokens import token_hash
from evcharge.bookings.admin import admin as bookings_admin
from evcharge.bookings.admin_api import api as bookings_admin_api
from evcharge.bookings.api import api as bookings_api
from evcharge.bookings.pages import pages as bookings_pages
from evcharge.charging.admin import admin as charging_admin
from evcharge.charging.admin_api import api as charging_admin_api
from evcharge.charging.api import api as charging_api
from evcharge.charging.pages import pages as charging_pages
from evcharge.favourites.pages import pages as favourites_pages
from evcharge.finance.admin import admin as finance_admin
from evcharge.invoices.admin import admin as invoices_admin
from evcharge.invoices.pages import pages as invoices_pages
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.hints import ValkeyHints
from evcharge.kernel.logs import set_up_logs
from evcharge.kernel.schema import MIGRATIONS
from evcharge.kernel.settings import Settings, read_settings
from evcharge.network.admin import admin as network_admin
from evcharge.network.admin_api import api as network_admin_api
from evcharge.network.api import api as network_api
from evcharge.network.pages import pages as network_pages
from evcharge.payments.api import api as payments_api
from evcharge.payments.pages import pages as payments_pages
from evcharge.payments.pages import webhooks
from evcharge.payments.providers.simulated_pages import gateway_pages
from evcharge.payments.queries import owed_paise
from evcharge.places.api import api as places_api
from evcharge.reports.admin import admin as reports_admin
from evcharge.reports.admin import payments_admin
from evcharge.reports.admin_api import api as reports_admin_api
from evcharge.tariffs.admin import admin as tariffs_admin
from evcharge.tariffs.admin_api import api as tariffs_admin_api
from evcharge.taxes.admin import admin as taxes_admin
from evcharge.taxes.pages import pages as taxes_pages
from evcharge.web import errors, formats, health, shell, transfer, urls
from evcharge.web.api import access as api_access
from evcharge.web.api import docs as api_docs
from evcharge.web.context import CurrentUser, db
from evcharge.wiring import (
    ON_PAID,
    forget,
    open_database,
    payment_providers,
    upcoming_bookings,
)

BLUEPRINTS = (
    health.blueprint,
    network_pages,
    network_admin,
    accounts_pages,
    accounts_admin,
    bookings_pages,
    bookings_admin,
    charging_pages,
    charging_admin,
    payments_pages,
    webhooks,
    taxes_pages,
    taxes_admin,
    tariffs_admin,
    invoices_pages,
    invoices_admin,
    gateway_pages,
    reports_admin,
    payments_admin,
    finance_admin,
    favourites_pages,
)
APIS = (
    accounts_api,
    bookings_api,
    payments_api,
    charging_api,
    charging_admin_api,
    places_api,
    network_api,
    network_admin_api,
    bookings_admin_api,
    reports_admin_api,
    tariffs_admin_api,
)
LONGEST_BODY = 1_000_000


def create_app(settings: Settings, database: Database) -> Flask:
    app = Flask("evcharge.web", instance_path=str(settings.data_dir.absolute()))
    app.secret_key = settings.secret_key.get_secret_value()
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        MAX_CONTENT_LENGTH=LONGEST_BODY,
        SESSION_COOKIE_NAME="evcharge",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=not settings.demo,
        # A login ends when it ends. Sent again with every answer, the cookie of a
        # request from before a login could overwrite the one from after it.
        SESSION_REFRESH_EACH_REQUEST=False,
        PASSWORD_METHOD=SCRYPT,
        PERMANENT_SESSION_LIFETIME=timedelta(days=settings.login_days),
        WTF_CSRF_TIME_LIMIT=None,  # As long as the login: a form may stay open.
    )
    app.jinja_env.undefined = StrictUndefined
    app.extensions["evcharge.database"] = database
    app.extensions["evcharge.settings"] = settings
    app.extensions["evcharge.identify"] = identify
    app.extensions["evcharge.identify_token"] = identify_token
    app.extensions["evcharge.on_paid"] = ON_PAID
    app.extensions["evcharge.upcoming_bookings"] = upcoming_bookings
    app.extensions["evcharge.forget"] = forget
    app.extensions["evcharge.owed_paise"] = owed_paise
    providers = payment_providers(settings, database)
    app.extensions["evcharge.providers"] = providers
    app.extensions["evcharge.page_origins"] = providers.page_origins
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    urls.install(app)
    health.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    db.init_app(app)
    Migrate(app, db, directory=str(MIGRATIONS), transaction_per_migration=True)
    csrf = CSRFProtect(app)
    csrf.exempt(webhooks)
    errors.install(app)
    formats.install(app)
    shell.install(app)
    transfer.install(app)
    api_access.install(app)
    api_docs.install(app, APIS)
    for api in APIS:
        app.register_blueprint(api.blueprint)
        csrf.exempt(api.blueprint)  # A token is sent on purpose; a cookie is not read.
    return app


def wsgi() -> Flask:
    """The web program for any WSGI server: `granian --factory evcharge.app:wsgi`."""
    set_up_logs()
    settings = read_settings()
    database = open_database(settings)
    # Nobody watches here: hints only leave, for the gateway's watchers.
    if settings.valkey_url:
        hints = ValkeyHints(settings.valkey_url)
        hints.start()
        database.publish = hints.publish
    return create_app(settings, database)


def identify(session: Session, user_id: int, login_id: UUID) -> CurrentUser | None:
    """Return who a cookie speaks for; None when the login or the account has ended."""
    user = signed_in_user_or_none(
        session, user_id=user_id, login_id=login_id, now=utc_now()
    )
    return None if user is None else _speaking(session, user, login_id)


def identify_token(session: Session, token: str) -> CurrentUser | None:
    """Return who a bearer token speaks for; None when it or the account has ended."""
    holder = token_holder_or_none(session, token_hash(token), now=utc_now())
    return None if holder is None else _speaking(session, holder, holder.login_id)


def _speaking(session: Session, user: User | Holder, login_id: UUID) -> CurrentUser:
    return CurrentUser(
        id=user.id,
        name=user.name,
        email=user.email,
        role=user.role.value,
        login_id=login_id,
        operator_ids=operators_of(session, user.id)
        if user.role == "operator"
        else frozenset(),
    )
