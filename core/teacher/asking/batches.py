"""The second way to a teacher: questions gathered into batches that are answered within a day, for half the price.

What a kill may never do here is pay for a batch twice. So a batch is planned in the ledger before its file is uploaded, and carries our name
at the endpoint: whoever finds one that was about to be created looks for that name there before creating another.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.teacher.asking import batch_ledger
from core.teacher.asking.batch_carrier import Carrier
from core.teacher.asking.batch_ledger import Batch
from core.teacher.asking.budget import Bound, Budget, Spending, bound, check_budget
from core.teacher.asking.committing import LedgerThread
from core.teacher.asking.keys import Credentials, check_url, find_credentials
from core.teacher.asking.ledger import Ledger, Totals
from core.teacher.asking.patience import Tempo
from core.teacher.asking.prices import PriceTable
from core.teacher.asking.recording import read_received, stored_answer, today
from core.teacher.exchange import Answer, AskFailedError, PausedError, Question


@dataclass(slots=True)
class _Asked:
    """A question that somebody waits for."""

    question: Question
    future: asyncio.Future[Answer]
    rounds: int = 0


class BatchAsker:
    """An `Ask` over the Batch API. Use as an async context manager; entering it takes up batches that an earlier process left open.

    Ask everything at once: a batch leaves when no question has come for `tempo.linger`. Parameters otherwise as for `Asker`. When asked to
    stop, open batches are cancelled and what they hold is taken; one that does not end in time is taken up by whoever resumes.
    """

    def __init__(
        self,
        ledger: Path,
        prices: PriceTable,
        *,
        budget: Budget | None = None,
        tempo: Tempo | None = None,
        credentials: Callable[[str], Credentials] = find_credentials,
        should_stop: Callable[[], bool] = lambda: False,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._thread = LedgerThread(ledger)
        self._prices = prices
        self._budget = budget or Budget()
        self._tempo = tempo or Tempo()
        self._carrier = Carrier(self._thread, prices, self._tempo, credentials, lambda: self._stopping)
        self._should_stop = should_stop
        self._say = say
        self._asked: dict[str, _Asked] = {}
        self._gathered: dict[str, _Asked] = {}
        self._carried: dict[str, asyncio.Task[None]] = {}
        self._paused: str | None = None
        self._broken: BaseException | None = None
        self._stopping = False
        self._changed = asyncio.Event()
        self._last = 0.0
        self._main: asyncio.Task[None] | None = None

    async def __aenter__(self) -> BatchAsker:
        await self._thread.__aenter__()
        try:
            await self._thread.do(lambda ledger: read_received(ledger, self._prices))
            for batch in await self._thread.do(batch_ledger.open_batches):
                self._carry(batch)
        except BaseException:
            await self._thread.__aexit__()
            raise
        self._main = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._pause("Asking is over.", aloud=False)
        if self._main is not None:
            self._main.cancel()
        for task in self._carried.values():
            task.cancel()
        tasks = [*self._carried.values(), *([self._main] if self._main else [])]
        await asyncio.gather(*tasks, return_exceptions=True)
        for asked in list(self._asked.values()):
            self._end(asked, PausedError(self._paused or "Asking is over."))
        await self._carrier.close()
        await self._thread.__aexit__()

    async def __call__(self, question: Question) -> Answer:
        """The answer to `question`, from the ledger where it is there. Raises as `Asker` does."""
        asked = self._asked.get(question.key)
        if asked is None:
            asked = _Asked(question, asyncio.get_running_loop().create_future())
            asked.future.add_done_callback(lambda future: future.cancelled() or future.exception())
            self._asked[question.key] = asked
            try:
                await self._begin(asked)
            except BaseException as error:
                self._end(asked, error)
                raise
        return await asyncio.shield(asked.future)

    async def totals(self) -> Totals:
        """What the ledger holds by now."""
        return await self._thread.do(lambda ledger: ledger.totals())

    async def _begin(self, asked: _Asked) -> None:
        question = asked.question
        check_url(question.base_url)
        check_budget(self._budget, question, self._bound(question))
        if await self._settled(asked):
            return
        entry = await self._thread.do(lambda ledger: ledger.find(question.key))
        if self._hopeless() is not None or entry is None or not entry.in_batch:
            self._gather(asked)

    def _hopeless(self) -> BaseException | None:
        """Why nothing will be answered any more."""
        return self._broken or (PausedError(self._paused) if self._paused is not None else None)

    def _bound(self, question: Question) -> Bound:
        return bound(question, self._prices, today(), batch=True)

    async def _settled(self, asked: _Asked) -> bool:
        """Whoever waits gets what the ledger has, if it has an end."""
        entry = await self._thread.do(lambda ledger: ledger.find(asked.question.key))
        if entry is None or entry.last is None:
            return False
        if entry.state == "answered":
            self._end(asked, stored_answer(entry.last, entry.attempts))
        elif entry.last.outcome == "rejected":
            self._end(asked, AskFailedError(entry.last.words))
        else:
            return False
        return True

    def _end(self, asked: _Asked, result: Answer | BaseException) -> None:
        self._asked.pop(asked.question.key, None)
        self._gathered.pop(asked.question.key, None)
        if not asked.future.done():
            if isinstance(result, BaseException):
                asked.future.set_exception(result)
            else:
                asked.future.set_result(result)

    def _gather(self, asked: _Asked) -> None:
        why = self._hopeless()
        if why is not None:
            self._end(asked, why)
            return
        self._gathered[asked.question.key] = asked
        self._last = time.monotonic()
        self._changed.set()

    async def _run(self) -> None:
        """Send what has gathered when nothing more comes; cancel when asked to stop."""
        try:
            while not self._should_stop():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(0.1, self._tempo.linger)):
                        await self._changed.wait()
                self._changed.clear()
                waited = time.monotonic() - self._last
                if self._gathered and self._hopeless() is None and waited >= self._tempo.linger:
                    await self._plan()
        except Exception as error:  # noqa: BLE001 - whoever waits for an answer gets it
            self._broken = self._broken or error
            for asked in list(self._gathered.values()):
                self._end(asked, error)
            return
        self._stopping = True
        if self._carried:
            self._say("Cancelling the open batches, and taking what they hold.")
        self._pause("Stopped as asked.")

    async def _plan(self) -> None:
        groups: dict[tuple[str, str], list[tuple[Question, Bound]]] = defaultdict(list)
        for asked in self._gathered.values():
            question = asked.question
            groups[check_url(question.base_url), question.model].append((question, self._bound(question)))
        for questions in groups.values():
            while questions:
                batch, taken = await self._thread.do(lambda ledger, rest=questions: self._plan_one(ledger, rest))  # type: ignore[misc]
                if batch is None:
                    if not self._carried:
                        totals = await self.totals()
                        spending = Spending(self._budget, totals.spent_usd, totals.spent_tokens)
                        self._pause(spending.sentence(questions[0][1]))
                    self._last = time.monotonic()  # a batch under way may turn out cheaper than it might have been
                    break
                for question, _ in questions[:taken]:
                    self._gathered.pop(question.key, None)
                self._say(f"A batch of {taken:,} questions is on its way.")
                self._carry(batch)
                questions = questions[taken:]

    def _plan_one(self, ledger: Ledger, questions: Sequence[tuple[Question, Bound]]) -> tuple[Batch | None, int]:
        return batch_ledger.plan(ledger, questions, self._budget, self._tempo.most_requests, self._tempo.most_bytes)

    def _carry(self, batch: Batch) -> None:
        self._carried[batch.name] = asyncio.create_task(self._carry_to_end(batch))

    async def _carry_to_end(self, batch: Batch) -> None:
        keys: list[str] = []
        try:
            questions = await self._thread.do(lambda ledger: batch_ledger.questions_of(ledger, batch.name))
            keys = [question.key for question in questions]
            await self._carrier.carry(batch, questions)
        except PausedError as error:
            self._fail(keys, self._pause(str(error)))
        except Exception as error:  # noqa: BLE001 - whoever waits for an answer gets it
            self._broken = self._broken or error
            self._fail(keys, error)
        else:
            await self._hand_out(keys)
        finally:
            self._carried.pop(batch.name, None)
            self._changed.set()

    def _fail(self, keys: list[str], error: BaseException) -> None:
        for key in keys:
            if key in self._asked:
                self._end(self._asked[key], error)

    async def _hand_out(self, keys: list[str]) -> None:
        """What the batch has settled goes to whoever waits; the rest gathers for the next, a few times."""
        for key in keys:
            asked = self._asked.get(key)
            if asked is None or await self._settled(asked):
                continue
            asked.rounds += 1
            if asked.rounds < self._tempo.rounds:
                self._gather(asked)
                continue
            entry = await self._thread.do(lambda ledger, key=key: ledger.find(key))  # type: ignore[misc]
            await self._thread.do(lambda ledger, key=key: ledger.give_up(key))  # type: ignore[misc]
            words = entry.last.words if entry is not None and entry.last is not None else "no line came for it"
            self._end(asked, AskFailedError(f"{asked.rounds} batches did not answer it. The last time: {words}"))

    def _pause(self, sentence: str, *, aloud: bool = True) -> PausedError:
        if self._paused is None:
            self._paused = sentence
            if aloud:
                self._say(sentence)
        for asked in list(self._gathered.values()):
            self._end(asked, PausedError(self._paused))
        return PausedError(self._paused)
