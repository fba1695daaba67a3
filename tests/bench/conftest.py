from collections.abc import Callable, Iterator

import pytest

from evcharge.bench.databases import Databases
from evcharge.bench.lab import Lab, open_lab


@pytest.fixture
def quiet() -> Callable[[str], None]:
    return lambda words: None


@pytest.fixture
def lab(dialect: str, quiet: Callable[[str], None]) -> Iterator[Lab]:
    with open_lab(kinds=[dialect], settings={}, quick=True, say=quiet) as lab:
        yield lab


@pytest.fixture
def kind(lab: Lab) -> Databases:
    (kind,) = lab.kinds
    return kind
