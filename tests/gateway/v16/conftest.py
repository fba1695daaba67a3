from collections.abc import Iterator

import pytest

from talk import Talk, talking


@pytest.fixture
def talk(served) -> Iterator[Talk]:
    with talking(served(), "ocpp1.6") as talk:
        yield talk
