"""One toolchain for all tests of this folder, and one helper built for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.golang.checker import Checker
from core.golang.helper import Helper, prepare
from core.golang.toolchain import Toolchain, find


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return find()


@pytest.fixture
def helper(toolchain: Toolchain) -> Helper:
    return prepare(toolchain)


@pytest.fixture
def checker(toolchain: Toolchain) -> Iterator[Checker]:
    with Checker(toolchain) as one:
        yield one
