"""OCPP 2.0.1, functional blocks A, Security, and M, Certificates.

Certificates are not ours to sign or to look up: a proxy speaks TLS for us, and
contracts of ISO 15118 are not known here.
"""

from evcharge.control.rules import NoticeKind
from evcharge.gateway.actions import Actions
from evcharge.gateway.records import noticed

ACTIONS = Actions(
    SecurityEventNotification=noticed(
        NoticeKind.SECURITY, lambda payload: payload["type"]
    ),
    SignCertificate=noticed(
        NoticeKind.SECURITY,
        lambda payload: "Wants a certificate signed",
        {"status": "Rejected"},
    ),
    Get15118EVCertificate=noticed(
        NoticeKind.SECURITY,
        lambda payload: "Wants a vehicle's certificate",
        {"status": "Failed", "exiResponse": ""},
    ),
    GetCertificateStatus=noticed(
        NoticeKind.SECURITY,
        lambda payload: "Wants the status of a certificate",
        {"status": "Failed"},
    ),
)
