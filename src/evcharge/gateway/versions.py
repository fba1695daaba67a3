"""The versions of OCPP spoken here. If a charger offers several, the first counts."""

from evcharge.control.rules import Protocol
from evcharge.gateway import v16, v201
from evcharge.gateway.gateway import Version
from evcharge.gateway.sender import Words

VERSIONS = {
    Protocol.OCPP201: Version(v201.ACTIONS, Words(v201.CALLS, v201.READ)),
    Protocol.OCPP201: Version(v201.ACTIONS, Words(v201.CALLS, v201.READ)),
    Protocol.OCPP16: Version(v16.ACTIONS, Words(v16.CALLS, v16.READ)),
}
