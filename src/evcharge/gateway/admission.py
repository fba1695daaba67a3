"""Who may connect as a charger: HTTP Basic, the OCPP security profiles 1 and 2.

OCPP 1.6 security whitepaper edition 3, section 3; OCPP 2.0.1 edition 3, part 2,
A00.FR.204: the user name is the charger's identity. TLS is the proxy's business.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from sqlalchemy.orm import Session
from starlette.datastructures import Headers
from starlette.types import Scope

from evcharge.control.queries import Credentials, credentials_of
from evcharge.gateway.commits import GroupCommit
from evcharge.kernel.metrics import CHARGERS_REFUSED
from evcharge.stations.queries import plugs_of_chargers
from evcharge.stations.rules import Plug
from evcharge.stations.rules.entries import is_identity

LONGEST_IDENTITY = 48
# A key is kept by a fast hash, which only keys that are hard to guess can afford.
SHORTEST_KEY = 16
MOST_FAILURES = 10
FAILURES_SECONDS = 60
MOST_REMEMBERED = 10_000


class Refused(Exception):
    """The charger does not get a socket: the status says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Knock:
    """A connect: who the charger says it is, from where, and with what key."""

    identity: str
    address: str
    key: bytes | None  # None: without one, or under somebody else's name.


@dataclass(frozen=True, slots=True)
class Known:
    credentials: Credentials
    plugs: list[Plug]


def knock(scope: Scope, *, proxies: int) -> Knock:
    """Raises: Refused, for what can be no charger's identity."""
    identity: str = scope["path_params"]["charger"]
    if not 0 < len(identity) <= LONGEST_IDENTITY or not identity.isprintable():
        raise Refused(404, "no_identity")
    headers = Headers(scope=scope)
    key = _key(headers.get("authorization", ""), identity)
    return Knock(identity, client_address(scope, headers, proxies=proxies), key)


def client_address(scope: Scope, headers: Headers, *, proxies: int) -> str:
    """Return whence a request came, as the nearest `proxies` proxies tell it."""
    forwarded = ",".join(headers.getlist("x-forwarded-for")).split(",")
    if proxies and len(forwarded) >= proxies and forwarded[-proxies].strip():
        return forwarded[-proxies].strip()[:64]
    return str(scope["client"][0]) if scope.get("client") else ""


def _key(authorization: str, identity: str) -> bytes | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        given = b64decode(encoded.strip(), validate=True)
    except (NotBase64, ValueError):
        return None
    # Not split at a colon: identities may have one.
    name = f"{identity}:".encode()
    return given[len(name) :] if given.startswith(name) else None


def look_up(session: Session, identities: list[str]) -> Sequence[Known | None]:
    """Answer for many who knock at once: after a power cut they all do."""
    found = credentials_of(session, set(identities))
    plugs = plugs_of_chargers(session, {each.charger_id for each in found.values()})
    known = {
        identity: Known(credentials, plugs.get(credentials.charger_id, []))
        for identity, credentials in found.items()
    }
    return [known.get(identity) for identity in identities]


class Admission:
    """Belongs to the event loop; looks up in `lookups`' threads."""

    def __init__(self, lookups: GroupCommit, *, may_park: bool) -> None:
        self._lookups = lookups
        self._may_park = may_park
        self._failures = Failures()

    async def admit(self, knock: Knock) -> Known | None:
        """Return the charger, or None: it may wait to be taken in. Raises: Refused."""
        who = (knock.identity, knock.address)
        if self._failures.are_too_many(who):
            raise _refused(429, "too_many_failures")
        known = await self._lookups.add(record=look_up, value=knock.identity)
        try:
            return self._judged(knock, known)
        except Refused:
            self._failures.count(who)
            raise

    async def is_known(self, identity: str) -> bool:
        known = await self._lookups.add(record=look_up, value=identity)
        return known is not None

    def _judged(self, knock: Knock, known: Known | None) -> Known | None:
        if known is None:
            # Nobody could take in what has a name that no charger can have.
            if not self._may_park or not is_identity(knock.identity):
                raise _refused(404, "unknown")
            if knock.key is None or len(knock.key) < SHORTEST_KEY:
                raise _refused(401, "no_key")
            return None
        key_hash = known.credentials.key_hash
        if knock.key is None or key_hash is None or not key_hash.fits(knock.key):
            raise _refused(401, "wrong_key")
        return known


class Failures:
    """Who failed too often lately is turned away without a look at the database."""

    def __init__(self) -> None:
        self._of: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def are_too_many(self, who: tuple[str, str]) -> bool:
        count, began = self._of.get(who, (0, 0.0))
        return count >= MOST_FAILURES and monotonic() - began < FAILURES_SECONDS

    def count(self, who: tuple[str, str]) -> None:
        count, began = self._of.pop(who, (0, monotonic()))
        if monotonic() - began >= FAILURES_SECONDS:
            count, began = 0, monotonic()
        self._of[who] = (count + 1, began)
        if len(self._of) > MOST_REMEMBERED:
            self._of.popitem(last=False)


def _refused(status: int, reason: str) -> Refused:
    CHARGERS_REFUSED.labels(reason).inc()
    return Refused(status, reason)
