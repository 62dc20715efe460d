"""Asking: how much of a declared rate limit is used, what it costs in refusals, and the same work by the openai package's own retrying client.

The endpoint is the scripted one, in a process of its own, and enforces what it declares. Peer: AsyncOpenAI with its default two retries and with ten,
as many questions at once, nothing stored; its questions that end in an error are counted as lost. `ceiling` is our rate without any limit. Shares may
pass one: a bucket begins full. Windows are shorter than a minute, so that several of them pass.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.teacher.asking.asker import Asker
from core.teacher.asking.sending import request_body
from core.teacher.exchange import Answer, Question
from tests.benchmarks.report import report
from tests.core.teacher.asking.asking_child import PRICES, questions
from tests.core.teacher.asking.scripted_replies import KEY, answer
from tests.core.teacher.asking.scripted_server import Limit, ScriptedServer


def serve() -> None:
    """The endpoint: a JSON line with its address, and at the end of stdin one with its counts."""
    wanted = json.loads(sys.argv[2])
    limit = Limit(wanted["limit"], wanted["window"], wanted["bucket"]) if wanted["limit"] else None
    with ScriptedServer(lambda seen: answer(delay=wanted["latency"]), limit=limit) as server:
        print(json.dumps({"url": server.url}), flush=True)
        sys.stdin.read()
        print(json.dumps({"asked": len(server.seen), "refused": server.limited}), flush=True)


class Endpoint:
    """The endpoint as a process. Use as a context manager; `counts` is filled at its end."""

    def __init__(self, **wanted: object) -> None:
        self.counts: dict[str, int] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.bench_teacher", "serve", json.dumps(wanted)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.url: str = json.loads(self._process.stdout.readline())["url"]

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, *_: object) -> None:
        out, _ = self._process.communicate(timeout=60)
        self.counts = json.loads(out)


async def ours(asked: list[Question], at_once: int) -> tuple[float, int]:
    """Seconds, and how many were answered."""
    with tempfile.TemporaryDirectory() as folder:
        async with Asker(Path(folder) / "ledger.db", PRICES, concurrency=at_once) as ask:
            began = time.perf_counter()
            got = await asyncio.gather(*(ask(one) for one in asked), return_exceptions=True)
            return time.perf_counter() - began, sum(isinstance(one, Answer) for one in got)


async def theirs(asked: list[Question], at_once: int, retries: int) -> tuple[float, int]:
    """The same by the package's own client."""
    import openai

    async with openai.AsyncOpenAI(base_url=asked[0].base_url, api_key=KEY, max_retries=retries) as client:
        gate = asyncio.Semaphore(at_once)

        async def one(question: Question) -> bool:
            async with gate:
                try:
                    await client.chat.completions.create(**request_body(question))
                except openai.OpenAIError:
                    return False
                return True

        began = time.perf_counter()
        got = await asyncio.gather(*(one(question) for question in asked))
        return time.perf_counter() - began, sum(got)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=6000, help="requests a minute")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of one measurement at the limit")
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.3)
    options = parser.parse_args()
    os.environ["OPENAI_API_KEY"] = KEY
    figures: dict[str, object] = {"declared requests a minute": options.limit, "at once": options.at_once}
    with Endpoint(limit=0, window=60, bucket=True, latency=0.0) as endpoint:
        count = 2000
        took, _ = asyncio.run(ours(questions(endpoint.url, count), options.at_once))
        figures["ceiling without a limit, requests a second"] = count / took
        took, _ = asyncio.run(theirs(questions(endpoint.url, count), options.at_once, 0))
        figures["ceiling of the package alone, requests a second"] = count / took
    window = options.seconds / 4
    for bucket, name in ((True, "refilled all the time"), (False, "refilled at once")):
        limit = round(options.limit / 60 * window)
        count = limit * 5
        for who in ("ours", "package, 2 retries", "package, 10 retries"):
            with Endpoint(limit=limit, window=window, bucket=bucket, latency=options.latency) as endpoint:
                asked = questions(endpoint.url, count)
                if who == "ours":
                    took, answered = asyncio.run(ours(asked, options.at_once))
                else:
                    took, answered = asyncio.run(theirs(asked, options.at_once, 2 if "2" in who else 10))
            figures[f"{name}, {who}: answers a second as a share of the declared rate"] = (
                answered / took / (limit / window)
            )
            figures[f"{name}, {who}: refused requests a hundred answers"] = (
                100 * endpoint.counts["refused"] / max(1, answered)
            )
            figures[f"{name}, {who}: questions lost"] = count - answered
            figures[f"{name}, {who}: seconds"] = took
    report("teacher", figures)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve()
    else:
        main()
