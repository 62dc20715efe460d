"""One batch, carried step by step to its end at the endpoint: uploaded, created once, watched, and taken in whole.

Every step notes in the ledger what it is about to do or has learnt, so that it can be killed anywhere and taken up by another process. What stops it
is raised as PausedError; who waits for its answers, and what happens to those without one, is `batches`' business.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.teacher.asking import batch_ledger, sending
from core.teacher.asking.batch_ledger import ENDPOINT, Batch, Line
from core.teacher.asking.bodies import Complaint, read_complaint
from core.teacher.asking.committing import LedgerThread
from core.teacher.asking.keys import Credentials
from core.teacher.asking.ledger import Ending, Ledger
from core.teacher.asking.outcomes import Again, Heard, Outcome, Pause, Rejected, judge, judge_error
from core.teacher.asking.pacing import retry_after
from core.teacher.asking.patience import Tempo
from core.teacher.asking.prices import PriceTable
from core.teacher.asking.recording import cleaned, ending_of
from core.teacher.exchange import PausedError, Question

if TYPE_CHECKING:
    import openai

_OVER = ("completed", "failed", "expired", "cancelled")
_CHUNK = 500
"""Lines between two commits."""
_Call = Callable[["openai.AsyncOpenAI"], AbstractAsyncContextManager[Any]]


class Carrier:
    """Carries batches. stopping: asked between requests; once true, batches are cancelled and what they hold is taken. Close it."""

    def __init__(
        self,
        thread: LedgerThread,
        prices: PriceTable,
        tempo: Tempo,
        credentials: Callable[[str], Credentials],
        stopping: Callable[[], bool],
    ) -> None:
        self._thread = thread
        self._prices = prices
        self._tempo = tempo
        self._credentials = credentials
        self._stopping = stopping
        self._clients: dict[str, tuple[openai.AsyncOpenAI, Credentials]] = {}

    async def close(self) -> None:
        """Hang up."""
        for client, _ in self._clients.values():
            await client.close()

    async def carry(self, batch: Batch, questions: list[Question]) -> None:
        """Bring a batch from wherever it stands to its end. Raises PausedError; the batch then stands where it stood."""
        if batch.state == "planned":
            batch = await self.upload(batch, questions)
        if batch.state in ("uploaded", "creating"):
            batch = await self.create(batch)
        await self.take(batch, await self.poll(batch))

    async def upload(self, batch: Batch, questions: list[Question]) -> Batch:
        """Uploading costs nothing, so a file whose id was lost is simply uploaded again."""
        content = b"".join(batch_ledger.batch_line(question) for question in questions)
        heard = await self._request(
            batch,
            lambda client: client.files.with_streaming_response.create(
                file=(f"{batch.name}.jsonl", content), purpose="batch"
            ),
        )
        return await self._note(batch, "uploaded", file=str(_object(heard)["id"]))

    async def create(self, batch: Batch) -> Batch:
        """Create it, unless the endpoint has it already: an answer may have been lost, or the process killed before it came."""
        for attempt in range(self._tempo.attempts):
            identity = await self._look_for(batch) if batch.state == "creating" else None
            if identity is None:
                batch = await self._note(batch, "creating")
                heard = await self._ask_for(batch)
                outcome = self._judge(heard, batch.base_url)
                if isinstance(outcome, Rejected):  # it will never be: its questions are free again
                    await self._note(batch, "over")
                if outcome is not None:
                    await self._wait_for(heard, outcome, batch.base_url, attempt)
                    continue
                identity = str(_object(heard)["id"])
            return await self._note(batch, "created", identity=identity)
        raise PausedError(f"{batch.base_url} did not create a batch. Nothing is lost; resume to try again.")

    async def _ask_for(self, batch: Batch) -> Heard:
        return await self._once(
            batch.base_url,
            lambda client: client.batches.with_streaming_response.create(
                input_file_id=batch.file,
                endpoint=ENDPOINT,
                completion_window="24h",
                metadata={"gosmith": batch.name},
                extra_headers={"Idempotency-Key": batch.name},
            ),
        )

    async def _note(self, batch: Batch, state: str, *, file: str = "", identity: str = "") -> Batch:
        await self._thread.do(lambda ledger: batch_ledger.note(ledger, batch.name, state, file=file, identity=identity))
        return replace(batch, state=state, file=file or batch.file, id=identity or batch.id)

    async def _look_for(self, batch: Batch) -> str | None:
        """The id of a batch that carries our name; None when there is none."""
        after = ""
        while True:
            more: dict[str, Any] = {"after": after} if after else {}
            heard = await self._request(
                batch, lambda client, more=more: client.batches.with_streaming_response.list(limit=100, **more)  # type: ignore[misc]
            )  # fmt: skip
            page = _object(heard)
            found = page.get("data")
            for one in found if isinstance(found, list) else []:
                if (one.get("metadata") or {}).get("gosmith") == batch.name or one.get("input_file_id") == batch.file:
                    return str(one["id"])
                after = str(one["id"])
            if not page.get("has_more") or not found:
                return None

    async def poll(self, batch: Batch) -> dict[str, Any]:
        """Wait until the batch is over; cancel it when asked to stop. Raises PausedError when it does not end in the grace time."""
        end: float | None = None
        wait = min(self._tempo.first_poll, self._tempo.poll)
        while True:
            cancelling = end is not None
            heard = await self._request(
                batch,
                lambda client: client.batches.with_streaming_response.retrieve(batch.id), even_paused=cancelling,
            )  # fmt: skip
            state = _object(heard)
            if state.get("status") in _OVER:
                return state
            if self._stopping() and end is None:
                end = time.monotonic() + self._tempo.grace
                await self._request(
                    batch, lambda client: client.batches.with_streaming_response.cancel(batch.id), even_paused=True
                )
            if end is not None and time.monotonic() > end:
                raise PausedError("Stopped as asked.")
            await self._sleep(wait if end is None else min(1.0, wait))
            wait = min(2 * wait, self._tempo.poll)

    async def _sleep(self, seconds: float) -> None:
        """Sleep; a request to stop wakes it."""
        began, stopping = time.monotonic(), self._stopping()
        while (left := began + seconds - time.monotonic()) > 0 and self._stopping() == stopping:
            await asyncio.sleep(min(left, 0.1))

    async def take(self, batch: Batch, state: dict[str, Any]) -> None:
        """Store every line of both files, then call it over. Killed in between, it is all taken again, and each line stored once."""
        for name in ("output_file_id", "error_file_id"):
            file = state.get(name)
            if not file:
                continue
            heard = await self._request(
                batch, lambda client, file=file: client.files.with_streaming_response.content(file), even_paused=True,  # type: ignore[misc]
            )  # fmt: skip
            lines = list(batch_ledger.read_lines(heard.body))
            for at in range(0, len(lines), _CHUNK):
                await self._store(batch.name, lines[at : at + _CHUNK])
        words = _complaints(state)
        await self._thread.do(lambda ledger: batch_ledger.note(ledger, batch.name, "over", words=words))
        if state.get("status") == "failed":
            raise PausedError(f"{batch.base_url} refused a batch: {words or 'it does not say why'}")

    async def _store(self, name: str, lines: list[Line]) -> None:
        client = sending.client_name()
        new = await self._thread.do(lambda ledger: batch_ledger.store(ledger, name, lines, client))
        endings = [(attempt.id, self._read(attempt.raw, line, question)) for attempt, question, line in new]

        def settle(ledger: Ledger) -> None:
            for attempt, ending in endings:
                ledger.settle(attempt, ending)

        await self._thread.do(settle)

    def _read(self, raw: bytes, line: Line, question: Question) -> Ending:
        if line.status:
            outcome: Outcome = judge(Heard("response", line.status, {}, raw), question.base_url, question.model)
        elif line.code in ("batch_expired", "batch_cancelled"):
            outcome = Again("error", line.code, line.words, counts=False)
        else:
            outcome = judge_error(500, Complaint(line.code, "", line.words), question.base_url, question.model)
        return ending_of(outcome, question, self._prices, self._prices.batch)

    async def _request(self, batch: Batch, call: _Call, *, even_paused: bool = False) -> Heard:
        """A request that may be repeated, repeated until it is answered. Raises PausedError."""
        attempt, began = 0, time.monotonic()
        while True:
            if self._stopping() and not even_paused and batch.state != "created":
                raise PausedError("Stopped as asked.")
            heard = await self._once(batch.base_url, call)
            outcome = self._judge(heard, batch.base_url)
            if outcome is None:
                return heard
            if heard.status == 404 and batch.id:
                raise PausedError(
                    f"{batch.base_url} does not know the batch {batch.id} that was made there: with another key or organisation, or it was "
                    "deleted. Resume with the key that made it; if it is gone, “gosmith teacher retry” asks for what is missing, named by "
                    "number, in a job of its own and pays for it again."
                )
            attempt += 1
            out_of_reach = isinstance(outcome, Again) and outcome.name == "unreachable"
            if time.monotonic() - began > self._tempo.outage if out_of_reach else attempt >= self._tempo.attempts:
                words = getattr(outcome, "words", "")
                raise PausedError(
                    f"{batch.base_url} does not answer for its batches: {words} Resume later; nothing is lost."
                )
            await self._wait_for(heard, outcome, batch.base_url, attempt - 1)

    async def _once(self, base_url: str, call: _Call) -> Heard:
        if base_url not in self._clients:
            credentials = self._credentials(base_url)
            client = sending.make_client(base_url, credentials, connections=4, silence=self._tempo.transfer)
            self._clients[base_url] = client, credentials
        client, credentials = self._clients[base_url]
        return cleaned(await sending.hear(lambda: call(client), self._tempo.transfer), credentials)

    def _judge(self, heard: Heard, base_url: str) -> Outcome | None:
        """None for success."""
        if heard.kind != "response":
            return judge(heard, base_url, "batches")
        if heard.status < 300:
            return None
        said = read_complaint(heard.body) or Complaint("", "", "")
        if heard.status in (404, 405):
            words = said.words or "not found"
            return Pause(said.code, f"{base_url} does not offer this batch, or no batches at all: {words}")
        return judge_error(heard.status, said, base_url, "batches")

    async def _wait_for(self, heard: Heard, outcome: Outcome, base_url: str, attempt: int) -> None:
        if not isinstance(outcome, Again):
            raise PausedError(getattr(outcome, "words", f"{base_url} refused."))
        asked = retry_after(heard.headers)
        if asked is not None and asked > self._tempo.retry_after:
            raise PausedError(f"{base_url} asks to wait {asked / 60:.0f} minutes. Resume then; nothing is lost.")
        backoff = min(60.0, self._tempo.first_wait * 2.0**attempt) * random.uniform(0.5, 1.0)
        await self._sleep(asked if asked is not None else backoff)


def _object(heard: Heard) -> dict[str, Any]:
    """The JSON object in a body. Raises PausedError: an endpoint that answers 200 with anything else is none that can be used."""
    with contextlib.suppress(ValueError):
        value = json.loads(heard.body)
        if isinstance(value, dict):
            return value
    raise PausedError(
        "The endpoint answered for a batch with something that is no JSON. Resume later; nothing is lost."
    )


def _complaints(state: dict[str, Any]) -> str:
    found = (state.get("errors") or {}).get("data") or []
    return " ".join(str(one.get("message") or one.get("code") or "") for one in found[:3] if isinstance(one, dict))
