"""A bench on which one sample is made: a real prover that is asked the same once, and whatever teacher the test brings."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.database import connect, migrate
from core.golang.toolchain import Toolchain, find
from core.samples import membership
from core.teacher import recipes
from core.teacher.drawing import Draw, Seed, draws
from core.teacher.exchange import Ask
from core.teacher.flow import Bench, make
from core.teacher.hygiene import Hygiene
from core.teacher.plan import TeacherPlan, plan_from
from core.teacher.proving import Proof, Prover, proving
from core.teacher.recipes import Recipe
from core.teacher.results import Outcome

Make = Callable[..., list[Outcome]]


@dataclass(frozen=True)
class Remembering:
    """A prover for tests that ask the same of it: Go is asked once, and what it really said is told again."""

    prover: Prover
    said: dict[tuple[str, str, str, bool], Proof]

    async def prove(self, code: str, test: str, *, rival: str = "", quick: bool = False) -> Proof:
        asked = (code, test, rival, quick)
        if asked not in self.said:
            self.said[asked] = await self.prover.prove(code, test, rival=rival, quick=quick)
        return deepcopy(self.said[asked])


@pytest.fixture(scope="session")
def said() -> dict[tuple[str, str, str, bool], Proof]:
    """What Go has said so far."""
    return {}


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return find()


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = connect(tmp_path / "gosmith.db")
    migrate(made)
    membership.attach(made, tmp_path / "snapshots")
    yield made
    made.close()


@pytest.fixture
def plan() -> TeacherPlan:
    return plan_from({"recipe": "topic-grid", "model": "gpt-4.1", "samples": 4, "seed": 7})


@pytest.fixture
def run_flow(toolchain: Toolchain, plan: TeacherPlan, said: dict[tuple[str, str, str, bool], Proof]) -> Make:
    """`run_flow(ask, samples=3, recipe="topic-grid")`: the outcomes of so many draws, all under way together."""

    def run(
        ask: Ask,
        *,
        samples: int = 1,
        recipe: str | Recipe = "topic-grid",
        hygiene: Hygiene | None = None,
        pool: Sequence[Seed] = (),
        chosen: Sequence[Draw] | None = None,
    ) -> list[Outcome]:
        made = recipes.find(recipe) if isinstance(recipe, str) else recipe

        async def all_of_them() -> list[Outcome]:
            async with proving(toolchain) as prover:
                bench = Bench(plan, made, ask, Remembering(prover, said), hygiene or Hygiene(), "1.27")  # type: ignore[arg-type]
                drawn = list(draws(made.file, 7, samples, {}, pool)) if chosen is None else chosen
                return list(await asyncio.gather(*(make(draw, bench) for draw in drawn)))

        return asyncio.run(all_of_them())

    return run
