"""Keys of chargers, for programs that set many of them up."""

from pydantic import Field

from evcharge.control.service import issue_key, withdraw_key
from evcharge.kernel.clock import utc_now
from evcharge.network.admin_api.acting import act, api
from evcharge.network.own import own_charger
from evcharge.stations.rules import ChargerNotFound
from evcharge.web.api import Answer
from evcharge.web.context import current_user, operator_required


class NewKey(Answer):
    identity: str = Field(description="The user name that belongs to it")
    key: str = Field(description="Kept nowhere: nobody can read it again")


@api.post(
    "/admin/chargers/<int:charger_id>/key",
    guard=operator_required,
    status=201,
    refuses=(ChargerNotFound,),
)
def issue_admin_key(charger_id: int) -> NewKey:
    """Give a charger a new key. The one it had is good for nothing from then on."""
    box, by, now = own_charger(charger_id), current_user().id, utc_now()
    key = act(lambda session: issue_key(session, charger_id, by=by, now=now))
    return NewKey(identity=box.identity, key=key)


@api.delete(
    "/admin/chargers/<int:charger_id>/key",
    guard=operator_required,
    status=204,
    refuses=(ChargerNotFound,),
)
def withdraw_admin_key(charger_id: int) -> None:
    """Take a charger's key away. It cannot connect again until it has another."""
    own_charger(charger_id)
    act(lambda session: withdraw_key(session, charger_id))
