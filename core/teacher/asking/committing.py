"""The ledger's own thread, in which whatever is waiting is committed together: one fsync for many questions under way.

An awaited change is on the disk when the await returns. The event loop never waits for the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from core.database import transaction
from core.teacher.asking.ledger import Ledger

T = TypeVar("T")
_Work = tuple[Callable[[Ledger], Any], "asyncio.Future[Any]"]


class LedgerThread:
    """A ledger behind an event loop. Use as an async context manager; all methods belong to that loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[_Work] = []
        self._drain: asyncio.Task[None] | None = None
        self._ledger: Ledger | None = None
        self._pool: ThreadPoolExecutor | None = None
        self.commits = 0

    async def __aenter__(self) -> LedgerThread:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        try:
            self._ledger = await asyncio.get_running_loop().run_in_executor(self._pool, Ledger, self.path)
        except BaseException:
            self._pool.shutdown()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._pool is not None
        assert self._ledger is not None
        while self._drain is not None:
            await asyncio.wait([self._drain])
        await asyncio.get_running_loop().run_in_executor(self._pool, self._ledger.close)
        self._pool.shutdown()

    def submit(self, work: Callable[[Ledger], T]) -> asyncio.Future[T]:
        """Have `work` done in the order of the calls; the future is done when it is committed. It raises what `work` or the commit raised."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._drain is None:
            self._drain = asyncio.create_task(self._commit_all())
        return future

    async def do(self, work: Callable[[Ledger], T]) -> T:
        """`submit`, awaited. A caller that is cancelled meanwhile leaves the work to be done all the same."""
        return await asyncio.shield(self.submit(work))

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                results = await loop.run_in_executor(self._pool, self._commit, [work for work, _ in batch])
                self.commits += 1
                for (_, future), (value, error) in zip(batch, results, strict=True):
                    if future.cancelled():
                        continue
                    if error is None:
                        future.set_result(value)
                    else:
                        future.set_exception(error)
        finally:
            self._drain = None

    def _commit(self, works: list[Callable[[Ledger], Any]]) -> list[tuple[Any, BaseException | None]]:
        ledger = self._ledger
        assert ledger is not None
        results: list[tuple[Any, BaseException | None]] = []
        try:
            with transaction(ledger.connection):
                for work in works:
                    ledger.connection.execute("SAVEPOINT work")
                    try:
                        results.append((work(ledger), None))
                    except Exception as error:  # noqa: BLE001 - handed to whoever awaits this piece of work
                        ledger.connection.execute("ROLLBACK TO work")
                        results.append((None, error))
                    ledger.connection.execute("RELEASE work")
        except Exception as error:  # noqa: BLE001 - as above, for all of them: nothing was committed
            return [(None, error)] * len(works)
        return results
