"""What the Go toolchain says of what the teacher wrote, for many samples at once: verdicts, and whether a test tests anything.

Samples come one by one and wait for each other: while one batch is built and run, the next gathers, and a batch waits while more come,
so that Go is started rarely and never for one sample alone where many wait. Asks nobody and stores nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from core.golang.checker import Checker, CheckItem, CheckResult, Diagnostic
from core.golang.sandbox import Limits
from core.golang.stubs import stubs
from core.golang.testing import TestItem, run_tests, try_tests
from core.golang.toolchain import Toolchain
from core.golang.vet import vet

BATCH = 96
"""Samples proved together at most."""
_QUIET = 0.1
_LONGEST = 1.0
"""Seconds: a batch waits until none has come for the one, but not beyond the other. Proving takes some seconds, however few they are."""
_RIVAL_LIMITS = Limits(seconds=5.0, processor=10)
"""For code that is expected to fail: what it waits for never comes."""


@dataclass(frozen=True, slots=True)
class Proof:
    """code, test: as gofmt writes them. states, diagnostics, policy: as a check gives them.

    stub: what the test says of the code emptied: fail is what it should say; "" where it was not asked. stub_reason: why there is no
    stub. rival: the same of the broken code that the task holds.
    """

    code: str
    test: str
    states: dict[str, str]
    diagnostics: tuple[Diagnostic, ...]
    policy: tuple[Diagnostic, ...]
    toolchain: str
    stub: str = ""
    stub_reason: str = ""
    rival: str = ""

    @property
    def sound(self) -> bool:
        """Nothing fails, and types and test were really looked at."""
        return "fail" not in self.states.values() and self.states.get("types") == self.states.get("test") == "pass"

    @property
    def verified(self) -> bool:
        """The test passes on the code and fails on what does nothing."""
        return self.sound and self.stub == "fail" and self.rival in ("", "fail")

    def lacks(self) -> str:
        """Why it is not verified, as a sentence for people; "" when it is."""
        if self.verified:
            return ""
        if not self.code:
            return "There is no Go code."
        failed = next((name for name, state in self.states.items() if state == "fail"), "")
        if failed:
            first = next((one.message for one in self.diagnostics if one.check == failed), "")
            return f"{failed}: {first}" if first else f"{failed} fails."
        if not self.test:
            return "There is no test."
        if not self.sound:
            first = next((one.message for one in self.diagnostics), "types or test could not be asked")
            return f"Not proved: {first}"
        if self.stub != "fail":
            return (
                "The test also passes where every function returns zero values."
                if self.stub == "pass"
                else f"There is no stub to compare with: the code {self.stub_reason or 'could not be run'}."
            )
        if self.rival == "pass":
            return "The test also passes on the broken code."
        return "The broken code of the task does not compile alone, so the test could not be run on it."

    def words(self) -> str:
        """What compiler, vet and test say, as they would on a terminal; "" when they are content."""
        lines = []
        for one in self.diagnostics:
            if one.check == "format":
                continue
            file = "code_test.go" if one.check == "test" and one.line else "code.go"
            place = (
                f"{file}:{one.line}:{one.column}: "
                if one.line and one.column
                else f"{file}:{one.line}: "
                if one.line
                else ""
            )
            lines.append(f"{place}{one.message}")
        return "\n".join(lines)


@dataclass(slots=True)
class _Waiting:
    code: str
    test: str
    rival: str
    quick: bool
    answer: asyncio.Future[Proof]


@dataclass(slots=True)
class Prover:
    """Made by `proving`. For the tasks of one event loop."""

    _toolchain: Toolchain
    _cancel: Callable[[], bool]
    _waiting: list[_Waiting] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    batches: int = 0

    async def prove(self, code: str, test: str, *, rival: str = "", quick: bool = False) -> Proof:
        """The verdicts on a code and its test. rival: broken code on which the test must fail too.

        quick: only whether the test passes on the code; no vet, no stub. Raises UserError where Go cannot be used.
        """
        one = _Waiting(code, test, rival, quick, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        self._news.set()
        return await one.answer

    async def work(self, checker: Checker) -> None:
        """Prove what comes until cancelled."""
        while True:
            await self._news.wait()
            await self._gather()
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            if not self._waiting:
                self._news.clear()
            batch = [one for one in batch if not one.answer.done()]
            if not batch:
                continue
            self.batches += 1
            try:
                proofs = await asyncio.to_thread(_prove, batch, checker, self._toolchain, self._cancel)
            except Exception as error:  # noqa: BLE001 - whoever waits for a proof hears of it
                for one in batch:
                    if not one.answer.done():
                        one.answer.set_exception(error)
                continue
            for one, proof in zip(batch, proofs, strict=False):
                if not one.answer.done():
                    one.answer.set_result(proof)
            for one in batch[len(proofs) :]:  # stopped meanwhile
                one.answer.cancel()

    async def _gather(self) -> None:
        """Wait while more come."""
        end = time.monotonic() + _LONGEST
        before = 0
        while before < len(self._waiting) < BATCH and time.monotonic() < end:
            before = len(self._waiting)
            await asyncio.sleep(_QUIET)


@asynccontextmanager
async def proving(toolchain: Toolchain, cancel: Callable[[], bool] = lambda: False) -> AsyncIterator[Prover]:
    """A prover for as long as the block lasts. cancel: asked while Go is at work; what is under way then is given up.

    Raises UserError when tests may not be run here.
    """
    await asyncio.to_thread(
        lambda: list(run_tests([], toolchain))
    )  # what forbids tests is said before anything is paid for
    left = False
    prover = Prover(toolchain, lambda: left or cancel())
    with Checker(toolchain) as checker:
        work = asyncio.create_task(prover.work(checker))
        try:
            yield prover
        finally:
            left = True
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work


def _prove(
    batch: Sequence[_Waiting], checker: Checker, toolchain: Toolchain, cancel: Callable[[], bool]
) -> list[Proof]:
    """One proof each, in order; fewer when cancelled."""
    texts = [text for one in batch for text in (one.code, one.test)]
    checked = list(checker.check(CheckItem(at, text) for at, text in enumerate(texts) if text.strip()))
    formatted = {one.key: one.formatted for one in checked if one.formatted is not None}
    found = {one.key: one for one in checked}
    proofs = []
    for at, one in enumerate(batch):
        result = found.get(2 * at)
        states = dict(result.states) if result else {"parse": "fail", "format": "skipped", "types": "skipped"}
        diagnostics = result.diagnostics if result else (Diagnostic("parse", 0, 0, "there is no code"),)
        code, test = formatted.get(2 * at, one.code), formatted.get(2 * at + 1, one.test)
        proofs.append(Proof(code, test, states, diagnostics, result.policy if result else (), toolchain.version))
    again = [CheckItem(at, proofs[at].code) for at in range(len(batch)) if 2 * at in formatted]
    for result in checker.check(again):  # lines are those of the text that is kept
        proofs[result.key] = replace(
            proofs[result.key], states=dict(result.states), diagnostics=result.diagnostics, policy=result.policy
        )
    sound = [at for at, proof in enumerate(proofs) if proof.states["types"] == "pass"]
    for at in range(len(batch)):
        proofs[at].states.update({"vet": "skipped", "test": "skipped"})
    slow = [at for at in sound if not batch[at].quick]
    if not _add(proofs, slow, vet((CheckItem(at, proofs[at].code) for at in slow), toolchain, cancel)):
        return []
    tests = (TestItem(at, proofs[at].code, proofs[at].test) for at in sound)
    if not _add(proofs, sound, run_tests(tests, toolchain, cancel=cancel)):
        return []
    return _rivals(batch, proofs, toolchain, cancel, checker)


def _add(proofs: list[Proof], asked: Sequence[int], results: Iterable[CheckResult]) -> bool:
    """Join results to proofs; False when some are missing because of a stop."""
    count = 0
    for result in results:
        count += 1
        proof = proofs[result.key]
        proofs[result.key] = replace(
            proof, states=proof.states | result.states, diagnostics=proof.diagnostics + result.diagnostics
        )
    return count == len(asked)


def _rivals(
    batch: Sequence[_Waiting], proofs: list[Proof], toolchain: Toolchain, cancel: Callable[[], bool], checker: Checker
) -> list[Proof]:
    """Run the tests that pass on what must fail: the stub, and the broken code of the task."""
    passed = [at for at, proof in enumerate(proofs) if proof.sound and not batch[at].quick]
    items = []
    for made in stubs((CheckItem(at, proofs[at].code) for at in passed), toolchain):
        if made.code:
            items.append(TestItem(2 * made.key, made.code, proofs[made.key].test))
        else:
            proofs[made.key] = replace(proofs[made.key], stub="skipped", stub_reason=made.reason)
    broken = [at for at in passed if batch[at].rival.strip()]
    for checked in checker.check(CheckItem(at, batch[at].rival) for at in broken):
        if checked.states["types"] == "pass":
            items.append(TestItem(2 * checked.key + 1, batch[checked.key].rival, proofs[checked.key].test))
        else:
            proofs[checked.key] = replace(
                proofs[checked.key], rival="skipped"
            )  # what does not compile proves nothing of a test
    results = _in_company(items, proofs, toolchain, cancel)
    if results is None:
        return []
    alone = [item for item in items if item.key not in results]
    for result in run_tests(alone, toolchain, limits=_RIVAL_LIMITS, cancel=cancel):
        results[result.key] = result.states["test"]
    for key, state in results.items():
        at = key // 2
        proofs[at] = replace(proofs[at], rival=state) if key % 2 else replace(proofs[at], stub=state)
    return proofs if len(results) == len(items) else []


def _in_company(
    items: Sequence[TestItem], proofs: Sequence[Proof], toolchain: Toolchain, cancel: Callable[[], bool]
) -> dict[int, str] | None:
    """What tests say of rivals in one program with the codes on which they pass, by key; None when cancelled.

    Nearly every rival fails, and building each alone to believe that takes half a second. Where the test passes on its code in the same
    program, it does not mind the company, and its failure is the rival's doing. Where it does not pass, nothing is said here.
    """
    if len(items) < 2:
        return {}
    codes = sorted({item.key // 2 for item in items})
    both = [*(TestItem(-1 - at, proofs[at].code, proofs[at].test) for at in codes), *items]
    tried = try_tests(both, toolchain, limits=_RIVAL_LIMITS, cancel=cancel, believed=True)
    found = {one.key: one.verdict.state for one in tried}
    if len(found) < len(both):
        return None
    told = (item.key for item in items if found[item.key] != "fail" or found[-1 - item.key // 2] == "pass")
    return {key: found[key] for key in told}
