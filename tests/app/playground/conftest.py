"""What the tests of the playground's modes share: one process with the starter for each file, and benches without processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import shiboken6

from app.context import AppContext
from app.playground.mode import Bench
from app.playground.model_servers import Served
from core.inference import ServerAddress
from tests.app.playground.benches import make_bench, starter
from tests.core.inference.test_client import Fake
from tests.loopback import serving


@pytest.fixture(scope="module")
def engine() -> Iterator[ServerAddress]:
    """The starter, served for all tests of a file."""
    with starter() as address:
        yield address


@pytest.fixture
def scripted() -> Iterator[Fake]:
    """A server that answers as its test has it do."""
    with serving(Fake()) as server:
        yield server


@pytest.fixture
def bench_of(context: AppContext) -> Iterator[Callable[..., Bench]]:
    """`bench_of(a=address, b=address)`: models of these names, up at these addresses."""
    made: list[Bench] = []

    def make(**addresses: Served | ServerAddress) -> Bench:
        made.append(make_bench(context, dict(addresses)))
        return made[-1]

    yield make
    for bench in made:
        for part in (bench.banner, bench.servers, bench.models):
            shiboken6.delete(part)
