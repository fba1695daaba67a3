"""A driver's charging: what goes on now, and what was."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from pydantic import TypeAdapter

from evcharge.charging.pages.blueprint import pages
from evcharge.charging.queries import UNDER_WAY, SessionPosition, sessions_of_user
from evcharge.charging.rules import SessionStatus
from evcharge.charging.words import stage_of
from evcharge.kernel.clock import utc_now
from evcharge.web.api import cursor_of, position_or_none
from evcharge.web.context import current_user, login_required, reading
from evcharge.web.problems import BadCursor

PAGE_SIZE = 10
MOST_UNDER_WAY = 5
OVER = (SessionStatus.COMPLETED, SessionStatus.INVALID)
_POSITION = TypeAdapter(SessionPosition)


@pages.get("/sessions")
@login_required
def my_sessions() -> ResponseReturnValue:
    now, user_id, after = utc_now(), current_user().id, _position()
    under_way, _ = sessions_of_user(
        reading(), user_id, statuses=UNDER_WAY, limit=MOST_UNDER_WAY
    )
    over, goes_on_at = sessions_of_user(
        reading(), user_id, statuses=OVER, after=after, limit=PAGE_SIZE
    )
    return render_template(
        "charging/my_sessions.html",
        under_way=[(each, stage_of(each, now=now)) for each in under_way],
        over=[(each, stage_of(each, now=now)) for each in over],
        is_first=after is None,
        older=cursor_of(goes_on_at) if goes_on_at else None,
        now=now,
    )


def _position() -> SessionPosition | None:
    """What is no cursor of ours counts as unsaid."""
    try:
        return position_or_none(request.args.get("after"), _POSITION)
    except BadCursor:
        return None
