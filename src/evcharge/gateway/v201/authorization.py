"""OCPP 2.0.1, functional block C, Authorization."""

from evcharge.charging.service import authorize
from evcharge.gateway.actions import Actions, Payload
from evcharge.gateway.socket import Connected
from evcharge.gateway.v201.words import tag_of, token_info

ACTIONS = Actions()


@ACTIONS.action("Authorize")
async def authorize_tag(charger: Connected, payload: Payload) -> Payload:
    is_allowed = await charger.do(
        authorize,
        charger_id=charger.charger_id,
        tag=tag_of(payload["idToken"]) or "",
        now=charger.received_at,
    )
    if "certificate" in payload or "iso15118CertificateHashData" in payload:
        # Contracts of ISO 15118 are not known here, whatever the token says.
        info = token_info(is_allowed=False)
        return {"idTokenInfo": info, "certificateStatus": "NoCertificateAvailable"}
    return {"idTokenInfo": token_info(is_allowed)}
