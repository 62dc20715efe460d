"""One toolchain for all tests of this folder."""

from __future__ import annotations

import pytest

from core.golang.toolchain import Toolchain, find


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return find()
