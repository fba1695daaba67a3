"""The versions of OCPP spoken here. If a charger offers several, the first counts."""

from evcharge.control.rules import Protocol
from evcharge.gateway import v16
from evcharge.gateway.gateway import Version
from evcharge.gateway.sender import Words

VERSIONS = {
    Protocol.OCPP16: Version(v16.ACTIONS, Words(v16.CALLS, v16.READ)),
}
