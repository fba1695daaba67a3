"""What may be watched on `/live`, and by whom.

Topics of places are public. Whatever belongs to somebody is watched with a token,
made by the page that shows it to the one who may see it.
"""

import re
from collections.abc import Iterable

from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import SecretStr

from evcharge.kernel.errors import InvalidInput, NotAllowed

PUBLIC = re.compile(r"(location|evse):[0-9]{1,18}")
MOST_TOPICS = 50
LONGEST_TOPIC = 80
TOKEN_SECONDS = 12 * 3600


class TooManyTopics(InvalidInput):
    code = "too_many_topics"
    message = f"Name between one and {MOST_TOPICS} topics, each at most 80 characters."


class TopicNotAllowed(NotAllowed):
    code = "topic_not_allowed"
    message = "Reload the page to follow it live."


def sign_topics(secret: SecretStr, topics: Iterable[str], user_id: int | None) -> str:
    """Return what lets this user watch these topics on `/live` for half a day; None
    for whoever has the link of a page that needs no login."""
    return _serializer(secret).dumps([user_id, sorted(set(topics))])


def check_topics(secret: SecretStr, topics: list[str], tokens: list[str]) -> None:
    """Raises: TooManyTopics, TopicNotAllowed."""
    if not 0 < len(topics) <= MOST_TOPICS or max(map(len, topics)) > LONGEST_TOPIC:
        raise TooManyTopics
    private = {topic for topic in topics if not PUBLIC.fullmatch(topic)}
    granted = set().union(*(_granted(secret, token) for token in tokens[:MOST_TOPICS]))
    if not private <= granted:
        raise TopicNotAllowed


def _granted(secret: SecretStr, token: str) -> set[str]:
    try:
        _user_id, topics = _serializer(secret).loads(token, max_age=TOKEN_SECONDS)
    except BadData:
        return set()
    return set(topics)


def _serializer(secret: SecretStr) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret.get_secret_value(), salt="live")
