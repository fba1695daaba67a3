from datetime import timedelta
from typing import Any

import pytest
from itsdangerous import URLSafeTimedSerializer
from pydantic import SecretStr

from evcharge.kernel.topics import (
    MOST_TOPICS,
    TOKEN_SECONDS,
    TooManyTopics,
    TopicNotAllowed,
    check_topics,
    sign_topics,
)

SECRET = SecretStr("only-for-tests-0123456789-abcdefgh")
OTHER = SecretStr("another-secret-0123456789-abcdefgh")


@pytest.mark.parametrize("topic", ["location:7", "evse:123456"])
def test_places_are_public(topic: str) -> None:
    check_topics(SECRET, [topic], [])


@pytest.mark.parametrize(
    "topic",
    ["booking:8a40c3", "dashboard", "charger:CP-1", "location:", "evse:7x", "", "*"],
)
def test_everything_else_needs_a_token(topic: str) -> None:
    with pytest.raises(TopicNotAllowed):
        check_topics(SECRET, ["location:7", topic], [])


def test_a_token_opens_what_it_was_signed_for() -> None:
    token = sign_topics(SECRET, ["booking:1", "booking:2"], user_id=5)

    check_topics(SECRET, ["booking:1", "booking:2", "location:7"], [token])


def test_tokens_of_several_parts_of_a_page_add_up() -> None:
    tokens = [sign_topics(SECRET, [topic], 5) for topic in ("booking:1", "dashboard")]

    check_topics(SECRET, ["booking:1", "dashboard"], tokens)


def test_a_token_opens_nothing_else() -> None:
    token = sign_topics(SECRET, ["booking:1"], user_id=5)

    with pytest.raises(TopicNotAllowed):
        check_topics(SECRET, ["booking:1", "booking:2"], [token])


@pytest.mark.parametrize(
    "token",
    [
        sign_topics(OTHER, ["booking:1"], user_id=5),
        URLSafeTimedSerializer(SECRET.get_secret_value(), "other").dumps(
            [5, ["booking:1"]]
        ),
        "nonsense",
        "",
    ],
    ids=["other secret", "signed for something else", "nonsense", "empty"],
)
def test_a_token_that_is_not_ours_opens_nothing(token: str) -> None:
    with pytest.raises(TopicNotAllowed):
        check_topics(SECRET, ["booking:1"], [token])


def test_a_token_ends_after_half_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    from itsdangerous import timed

    token = sign_topics(SECRET, ["booking:1"], user_id=5)
    real = timed.time.time()
    after: Any = real + timedelta(seconds=TOKEN_SECONDS + 5).total_seconds()
    monkeypatch.setattr(timed.time, "time", lambda: after)

    with pytest.raises(TopicNotAllowed):
        check_topics(SECRET, ["booking:1"], [token])


@pytest.mark.parametrize(
    "topics",
    [[], [f"evse:{n}" for n in range(MOST_TOPICS + 1)], ["location:" + "1" * 80]],
    ids=["none", "too many", "too long"],
)
def test_a_stream_has_between_one_and_fifty_short_topics(topics: list[str]) -> None:
    with pytest.raises(TooManyTopics):
        check_topics(SECRET, topics, [])
