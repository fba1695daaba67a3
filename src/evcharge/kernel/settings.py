"""Everything an operator can set, read once at start-up from the environment."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

SHORTEST_SECRET = 32
SHORTEST_WEBHOOK_SECRET = 16
FEWEST_CHARACTERS = 10  # "aaaa…" is long and still no secret.
# PostgreSQL is waited for. SQLite works in the thread that asks, and threads that
# have nothing to wait for only take the interpreter from each other.
THREADS_ON_POSTGRESQL, THREADS_ON_SQLITE = 10, 4
# Those that store what chargers say; each takes all that waits. SQLite has one writer.
COMMITTERS_ON_POSTGRESQL, COMMITTERS_ON_SQLITE = 2, 1


class InvalidSettings(Exception):
    """One or more settings are missing or malformed; the message lists them all."""


def _dialect_named(url: object) -> object:
    # Hosts hand out postgres://, a spelling SQLAlchemy no longer knows.
    if isinstance(url, str) and url.startswith("postgres://"):
        return "postgresql://" + url.removeprefix("postgres://")
    return url


def _supported(url: str) -> str:
    # Only the name: rules read settings, and rules know no SQLAlchemy.
    if not re.match(r"$|(sqlite|postgresql)(\+psycopg)?://", url):
        raise ValueError(
            "name a SQLite or PostgreSQL database, for example "
            "postgresql://user:password@host/evcharge"
        )
    return url


def _strong(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if len(value) < SHORTEST_SECRET or len(set(value)) < FEWEST_CHARACTERS:
        raise ValueError(
            "too weak: set at least 32 random characters, for example from "
            "`openssl rand -hex 32`"
        )
    return secret


def _origins(text: str) -> str:
    for origin in text.split():
        if origin != "*" and not re.fullmatch(r"https?://[^/?#@\s]+", origin):
            raise ValueError(
                "name origins such as https://app.example.com, separated by spaces, "
                "or * for all"
            )
    return text


def _speaks_safely(url: str) -> str:
    # Unencrypted only within this machine, for tests.
    if not re.fullmatch(r"https://[^/?#@\s]+|http://(127\.0\.0\.1|localhost):\d+", url):
        raise ValueError("name an address such as https://api.razorpay.com")
    return url


def _key_of_razorpay(key_id: str, info: ValidationInfo) -> str:
    if _is_needed(key_id, info) and not re.fullmatch(r"rzp_(test|live)_\w+", key_id):
        raise ValueError("name the key's id, which starts with rzp_live_ or rzp_test_")
    return key_id


def _secret_of_razorpay(secret: SecretStr, info: ValidationInfo) -> SecretStr:
    _is_needed(secret.get_secret_value(), info)
    return secret


def _webhook_secrets(secrets: SecretStr, info: ValidationInfo) -> SecretStr:
    each = secrets.get_secret_value().split()
    if _is_needed("".join(each), info):
        if any(len(secret) < SHORTEST_WEBHOOK_SECRET for secret in each):
            raise ValueError(
                "a secret here is shorter than 16 characters: make one with "
                "`openssl rand -hex 32`"
            )
        key_secret = info.data.get("razorpay_key_secret", SecretStr(""))
        if key_secret.get_secret_value() in each:
            raise ValueError("take another secret than the key's own")
    return secrets


def _is_needed(value: str, info: ValidationInfo) -> bool:
    """Is this to be checked? Raises: ValueError where it must not be empty."""
    if info.data.get("payments") == "razorpay" and not value:
        raise ValueError("is missing: EVCHARGE_PAYMENTS is razorpay")
    return bool(value)


DatabaseUrl = Annotated[
    str, BeforeValidator(_dialect_named), AfterValidator(_supported)
]


class Settings(BaseSettings):
    """Each field is read from `EVCHARGE_<NAME>`; see docs/settings.md."""

    model_config = SettingsConfigDict(env_prefix="EVCHARGE_", frozen=True)

    secret_key: Annotated[SecretStr, AfterValidator(_strong)]
    demo: bool = False
    data_dir: Path = Path("data")
    database_url: DatabaseUrl = ""
    valkey_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=5000, ge=1, le=65535)
    proxies: int = Field(default=0, ge=0, le=5)
    rate_limits: bool = True
    cors_origins: Annotated[str, AfterValidator(_origins)] = ""
    metrics_token: SecretStr = SecretStr("")
    web_threads: int | None = Field(default=None, ge=1, le=200)
    job_threads: int = Field(default=2, ge=1, le=50)
    gateway_threads: int | None = Field(default=None, ge=1, le=20)
    unknown_chargers: Literal["refuse", "park"] | None = None
    charger_log_days: int = Field(default=14, ge=1, le=400)
    login_days: int = Field(default=14, ge=1, le=365)
    hold_minutes: int = Field(default=10, ge=1, le=60)
    checkout_minutes: int = Field(default=16, ge=1, le=120)
    booking_longest_minutes: int = Field(default=480, ge=15, le=1440)
    booking_days_ahead: int = Field(default=14, ge=1, le=90)
    booking_most_holds: int = Field(default=2, ge=1, le=100)
    booking_most_upcoming: int = Field(default=5, ge=1, le=1000)
    due_days: int = Field(default=3, ge=0, le=90)
    payments: Literal["simulated", "razorpay"] = "simulated"
    razorpay_url: Annotated[str, AfterValidator(_speaks_safely)] = (
        "https://api.razorpay.com"
    )
    razorpay_key_id: Annotated[str, AfterValidator(_key_of_razorpay)] = Field(
        default="", validate_default=True
    )
    razorpay_key_secret: Annotated[SecretStr, AfterValidator(_secret_of_razorpay)] = (
        Field(default=SecretStr(""), validate_default=True)
    )
    razorpay_webhook_secrets: Annotated[SecretStr, AfterValidator(_webhook_secrets)] = (
        Field(default=SecretStr(""), validate_default=True)
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.database_url:
            path = self.data_dir.absolute() / "evcharge.db"
            object.__setattr__(self, "database_url", f"sqlite:///{path}")
        return self

    @property
    def threads(self) -> int:
        """How many requests a process works on at once."""
        if self.web_threads is not None:
            return self.web_threads
        return THREADS_ON_SQLITE if self._is_sqlite else THREADS_ON_POSTGRESQL

    @property
    def committers(self) -> int:
        """How many transactions with what chargers say a process has open at once."""
        if self.gateway_threads is not None:
            return self.gateway_threads
        return COMMITTERS_ON_SQLITE if self._is_sqlite else COMMITTERS_ON_POSTGRESQL

    @property
    def connections(self) -> int:
        """Two for every web thread (one reads, one writes), one for every other."""
        return 2 * self.threads + self.job_threads + self.committers + 6

    @property
    def parks_unknown_chargers(self) -> bool:
        if self.unknown_chargers is None:
            return self.demo
        return self.unknown_chargers == "park"

    @property
    def _is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def read_settings(**overrides: object) -> Settings:
    """Read the environment; `overrides` stand above it.

    Raises: InvalidSettings naming every problem, not only the first.
    """
    given = _address_given_by_host(os.environ) | overrides
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        raise InvalidSettings("\n".join(_problems(error))) from error


def _address_given_by_host(environment: Mapping[str, str]) -> dict[str, object]:
    """Hosts name the port in PORT and reach us from outside. Our own names win."""
    if not environment.get("PORT"):
        return {}
    given = {"port": environment["PORT"], "host": "0.0.0.0"}  # noqa: S104  # nosec B104
    return {
        name: value
        for name, value in given.items()
        if f"EVCHARGE_{name.upper()}" not in environment
    }


def _problems(error: ValidationError) -> list[str]:
    return [
        f"EVCHARGE_{'_'.join(map(str, problem['loc'])).upper()}: "
        + _message(problem["type"], problem["msg"])
        for problem in error.errors(include_url=False, include_input=False)
    ]


def _message(kind: str, message: str) -> str:
    if kind == "missing":
        return "is missing and has no default"
    return message.removeprefix("Value error, ")
