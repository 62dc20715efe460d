"""Asking a teacher: questions in, answers out, at the pace the endpoint allows, within the budget, and nothing twice.

The order that makes a kill harmless: the question is on the disk before a byte leaves, the raw answer before it is read. One `Asker` has
one ledger; it keeps no key, and what servers echo of keys is erased before it is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from pathlib import Path

from core.errors import UserError
from core.teacher.asking import sending
from core.teacher.asking.budget import Bound, Budget, Spending, bound, check_budget
from core.teacher.asking.committing import LedgerThread
from core.teacher.asking.endpoint import Endpoint, Endpoints, note, span
from core.teacher.asking.keys import Credentials, check_url, find_credentials
from core.teacher.asking.ledger import Ending, Totals
from core.teacher.asking.outcomes import Again, Answered, Heard, Outcome, Pause, Rejected, judge
from core.teacher.asking.patience import Patience
from core.teacher.asking.prices import PriceTable
from core.teacher.asking.recording import cleaned, ending_of, make_answer, read_received, stored_answer, today
from core.teacher.exchange import Answer, AskFailedError, PausedError, Question


class Asker:
    """An `Ask` over HTTP. Use as an async context manager; leaving it lets what is under way end, for a grace time, and then cuts it off.

    ledger: file of what was asked. concurrency: questions under way at one model of an endpoint. stream: have answers sent piece by piece, which notices dead
    connections sooner and stops sooner, where the endpoint counts the tokens of streams. should_stop: asked ten times a second. say: told
    sentences for people. Raises UserError for what a user can mend: no key, no price for a budget, another process at this ledger.
    """

    def __init__(
        self,
        ledger: Path,
        prices: PriceTable,
        *,
        budget: Budget | None = None,
        concurrency: int = 16,
        patience: Patience | None = None,
        stream: bool = False,
        credentials: Callable[[str], Credentials] = find_credentials,
        should_stop: Callable[[], bool] = lambda: False,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        if concurrency < 1:
            raise UserError(f"{concurrency} questions at once are none.", "Set concurrency to 1 or more.")
        self._thread = LedgerThread(ledger)
        self._prices = prices
        self._budget = budget or Budget()
        self._patience = patience or Patience()
        self._stream = stream
        self._should_stop = should_stop
        self._say = say
        self._endpoints = Endpoints(credentials, concurrency, self._patience)
        self._asked: dict[str, asyncio.Task[Answer]] = {}
        self._paused: str | None = None
        self._broken: BaseException | None = None
        self._watch: asyncio.Task[None] | None = None
        self.spending = Spending(self._budget)

    async def __aenter__(self) -> Asker:
        await self._thread.__aenter__()
        try:
            await self._thread.do(lambda ledger: read_received(ledger, self._prices))
            totals = await self.totals()
        except BaseException:
            await self._thread.__aexit__()
            raise
        self.spending = Spending(self._budget, totals.spent_usd, totals.spent_tokens)
        self._watch = asyncio.create_task(self._watch_for_stop())
        return self

    async def __aexit__(self, *error: object) -> None:
        try:
            await self._finish("Asking is over.", aloud=False)
        finally:
            tasks = [*self._asked.values(), *([self._watch] if self._watch is not None else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._endpoints.close()
            await self._thread.__aexit__()

    async def __call__(self, question: Question) -> Answer:
        """The answer to `question`, from the ledger where it is there. Who asks the same at the same time gets the same answer.

        Raises AskFailedError for this question, PausedError for all, UserError. A caller that is cancelled leaves its question under way.
        """
        task = self._asked.get(question.key)
        if task is None:
            task = asyncio.create_task(self._find_or_ask(question))
            self._asked[question.key] = task
            task.add_done_callback(lambda done: self._over(question.key, done))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled() and self._paused is not None:
                raise PausedError(self._paused) from None
            raise

    async def totals(self) -> Totals:
        """What the ledger holds by now, everything before this call included."""
        return await self._thread.do(lambda ledger: ledger.totals())

    def _over(self, key: str, task: asyncio.Task[Answer]) -> None:
        self._asked.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever asked may have gone; an exception nobody fetched is no news

    async def _find_or_ask(self, question: Question) -> Answer:
        entry = await self._thread.do(lambda ledger: ledger.find(question.key))
        if entry is not None and entry.last is not None:
            if entry.state == "answered":
                return stored_answer(entry.last, entry.attempts)
            if entry.last.outcome == "rejected":
                raise AskFailedError(entry.last.words)
        if entry is not None and entry.in_batch:
            raise PausedError("This question lies in a batch that is not over. Resume with batches.")
        return await self._ask(question, entry.attempts if entry else 0)

    async def _ask(self, question: Question, before: int) -> Answer:
        base_url = check_url(question.base_url)
        failures = refusals = 0
        patience = self._patience
        for number in range(before + 1, before + patience.attempts + patience.refusals + 1):
            most = bound(question, self._prices, today())
            check_budget(self._budget, question, most)
            endpoint = self._endpoints.at(base_url, question.model)
            ticket = await self._admit(endpoint, most)
            outcome, answer = await self._send(question, endpoint, ticket, most, number)
            if answer is not None:
                return answer
            if isinstance(outcome, Rejected):
                raise AskFailedError(outcome.words)
            if isinstance(outcome, Pause):
                raise self._pause(outcome.words)
            assert isinstance(outcome, Again)
            failures += outcome.counts
            refusals += outcome.name == "limited"
            if failures >= patience.attempts or refusals >= patience.refusals:
                await self._thread.do(lambda ledger: ledger.give_up(question.key))
                raise AskFailedError(f"Asked {number} times without an answer. The last time: {outcome.words}")
            if outcome.name != "unreachable":  # then the endpoint waits, and with it all that is asked there
                ceiling = min(patience.longest_wait, patience.first_wait * 2.0 ** (failures + refusals - 1))
                await self._wait(ceiling * random.uniform(0.5, 1.0))
        raise AskFailedError(f"{base_url} could not be asked.")

    async def _wait(self, seconds: float) -> None:
        """Sleep, but not on when everything pauses."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self._paused is None:
            await asyncio.sleep(min(left, 0.1))

    async def _admit(self, endpoint: Endpoint, most: Bound) -> int:
        """Wait for budget and pace, first come first served; returns the pacer's ticket. Whoever gets one must `_send`."""
        async with endpoint.gate:
            while True:
                if self._broken is not None:
                    raise self._broken
                if self._paused is not None:
                    raise PausedError(self._paused)
                endpoint.changed.clear()
                now = time.monotonic()
                if self.spending.fits(most):
                    wait = endpoint.pacer.wait(now, most.expected)
                    if wait <= 0:
                        self.spending.reserve(most)
                        return endpoint.pacer.sent(now, most.expected)
                    if self._patience.retry_after < wait < float("inf"):
                        raise self._pause(
                            f"The endpoint has nothing left for {span(wait)}. Resume then; nothing is lost."
                        )
                elif self.spending.open == 0:
                    raise self._pause(self.spending.sentence(most))
                else:
                    wait = float("inf")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if wait == float("inf") else wait):
                        await endpoint.changed.wait()

    async def _send(
        self, question: Question, endpoint: Endpoint, ticket: int, most: Bound, number: int
    ) -> tuple[Outcome | None, Answer | None]:
        """Send it once; ledger, budget and pacer know what came of it, whatever happens."""
        attempt: int | None = None
        sent = False
        heard: Heard | None = None
        outcome: Outcome = judge(Heard("interrupted"), question.base_url, question.model)
        ending = ending_of(outcome, question, self._prices)
        try:
            name = sending.client_name()
            attempt = await self._thread.do(lambda ledger: ledger.begin(question, most.usd, most.tokens, client=name))
            began, sent = time.monotonic(), True
            body = sending.request_body(question, stream=self._stream)
            heard = cleaned(
                await sending.exchange(endpoint.client, body, seconds=self._patience.answer), endpoint.credentials
            )
            took = time.monotonic() - began
            await self._keep(attempt, heard, took)
            outcome = judge(heard, question.base_url, question.model)
            ending = ending_of(outcome, question, self._prices)
        finally:
            news = note(endpoint.pacer, ticket, heard, outcome, self._patience)
            if news.pause:
                self._pause(news.pause)
            if news.say:
                self._say(news.say)
            self._settle(most, ending, sent=sent)
            self._endpoints.wake()
            if attempt is not None:
                self._later(attempt, ending)
        if isinstance(outcome, Answered):
            return outcome, make_answer(outcome, ending, took, number)
        return outcome, None

    async def _keep(self, attempt: int, heard: Heard, took: float) -> None:
        if heard.status or heard.body:
            await self._thread.do(lambda ledger: ledger.receive(attempt, heard.status, heard.headers, heard.body, took))

    def _settle(self, most: Bound, ending: Ending, *, sent: bool) -> None:
        """Tell the budget how a sending ended."""
        doubtful = sent and (ending.possibly_billed or (ending.outcome == "answered" and ending.usage is None))
        tokens = ending.usage.prompt + ending.usage.completion if ending.usage else 0
        self.spending.settle(most, most.usd if doubtful else ending.cost_usd, most.tokens or 0 if doubtful else tokens)

    def _later(self, attempt: int, ending: Ending) -> None:
        """Note an ending without waiting for the disk: it can be read again from what is there."""

        def done(future: asyncio.Future[None]) -> None:
            error = None if future.cancelled() else future.exception()
            if error is not None:
                self._fail(error)

        self._thread.submit(lambda ledger: ledger.settle(attempt, ending)).add_done_callback(done)

    def _pause(self, sentence: str, *, aloud: bool = True) -> PausedError:
        """Send nothing more; the first reason stays. Returns what to raise, a new one each time: exceptions gather tracebacks."""
        if self._paused is None:
            self._paused = sentence
            if aloud:
                self._say(sentence)
        self._endpoints.wake()
        return PausedError(self._paused)

    async def _watch_for_stop(self) -> None:
        try:
            while not self._should_stop():
                await asyncio.sleep(0.1)
        except Exception as error:  # noqa: BLE001 - raised to whoever asks next
            self._fail(error)
        await self._finish("Stopped as asked.", aloud=True)

    async def _finish(self, sentence: str, *, aloud: bool) -> None:
        """Send nothing more, let what is under way end for the grace time, then cut it off."""
        self._pause(sentence, aloud=aloud)
        if self._asked:
            await asyncio.wait(self._asked.values(), timeout=self._patience.grace)
        for task in list(self._asked.values()):
            task.cancel()

    def _fail(self, error: BaseException) -> None:
        """The ledger or the caller's own function broke: nothing may be sent any more."""
        self._broken = self._broken or error
        self._endpoints.wake()
