"""A key is found in two places and written in none."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest

from core.errors import UserError
from core.jobs.worker import describe
from core.teacher.asking.asker import Asker
from core.teacher.asking.batches import BatchAsker
from core.teacher.asking.keys import OPENAI, Credentials, check_url, find_credentials, save_key
from core.teacher.asking.patience import Patience, Tempo
from core.teacher.exchange import Question
from tests.core.teacher.asking.asking_child import PRICES
from tests.core.teacher.asking.scripted_replies import KEY, Reply, Seen, answer, error
from tests.core.teacher.asking.scripted_server import ScriptedServer
from tests.keyrings import Locked, Ring


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ring]:
    """A keyring of this test alone, and no key in the environment."""
    monkeypatch.undo()
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    before, mine = keyring.get_keyring(), Ring()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def test_the_environment_opens_openai_and_the_keyring_what_it_was_saved_for(ring: Ring) -> None:
    save_key("https://llm.example/v1/", " sk-lan-key ")
    save_key(OPENAI, "sk-saved")
    there = {"OPENAI_API_KEY": "sk-env", "OPENAI_ORG_ID": "org-1"}
    assert find_credentials(OPENAI, there) == Credentials("sk-env", "org-1")
    assert find_credentials("https://llm.example/v1", there).key == "sk-lan-key", (
        "one endpoint's key is not sent to another"
    )
    assert find_credentials("https://other.example/v1", there).key == "sk-env"
    assert find_credentials(OPENAI, {}).key == "sk-saved"
    save_key(OPENAI, "")
    with pytest.raises(UserError, match="no key"):
        find_credentials(OPENAI, {})


def test_an_endpoint_on_this_machine_needs_no_key(ring: Ring) -> None:
    assert find_credentials("http://127.0.0.1:8000/v1", {}).key == "none"


def test_a_locked_keyring_is_no_keyring(ring: Ring) -> None:
    keyring.set_keyring(Locked())
    assert find_credentials("https://llm.example/v1", {"OPENAI_API_KEY": "sk-env"}).key == "sk-env"
    with pytest.raises(UserError, match="keyring cannot be used"):
        save_key(OPENAI, "")


@pytest.mark.parametrize(
    "url",
    ["https://me:secret@llm.example/v1", "https://llm.example/v1?api-key=secret", "llm.example", "ftp://x/v1", ""],
)
def test_an_address_that_holds_a_secret_or_is_none_is_refused(url: str) -> None:
    with pytest.raises(UserError) as caught:
        check_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key", ["sk-\n", "sk-ä", "sk one"])
def test_a_key_that_was_copied_badly_is_refused(key: str, ring: Ring) -> None:
    if key.strip() == "sk-":
        assert find_credentials(OPENAI, {"OPENAI_API_KEY": key}).key == "sk-"
        return
    with pytest.raises(UserError, match="characters"):
        find_credentials(OPENAI, {"OPENAI_API_KEY": key})


def test_texts_are_cleaned_of_keys_and_of_nothing_else() -> None:
    mine = Credentials("my-very-own-key-1")
    said = "Incorrect API key provided: sk-proj-ab**********xyz. Sent: Bearer abcdefgh and my-very-own-key-1. Ask task-force."
    assert mine.redact(said) == "Incorrect API key provided: [key] Sent: [key] and [key]. Ask task-force."
    assert mine.erase("sk-example in code, my-very-own-key-1") == "sk-example in code, [key]"
    assert "my-very" not in repr(mine)


ECHO = f"Incorrect API key provided: {KEY}. You can find yours at https://example.com."


def echoes(seen: Seen) -> Reply:
    """A server that says the key wherever it can."""
    replies = [
        error(500, ECHO, headers={"x-request-id": KEY, "x-ratelimit-limit-requests": KEY}),
        error(400, ECHO),
        Reply(200, f"<html>{KEY}".encode()),
        Reply(200, answer().body.replace(b"package main", KEY.encode()), cut=300),
        answer(f"const key = `{KEY}`; const example = `sk-an-example-of-somebody`", headers={"x-request-id": KEY}),
        Reply(503, KEY.encode()),
        error(401, ECHO),
    ]
    return replies[seen.order % len(replies)]


@pytest.mark.parametrize("way", ["one by one", "in batches"])
def test_no_key_in_ledger_logs_job_folder_or_reports(
    way: str, server: ScriptedServer, ask_for: Callable[..., Question], tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    reports: list[str] = []
    server.script = echoes
    server.batch_script.replies = {"Write thing 1 in Go.": error(400, ECHO), "Write thing 2 in Go.": answer(KEY)}
    server.other = lambda running, seen: error(401, ECHO) if seen.path.startswith("/files/") else None
    folder = tmp_path / "jobs" / "1"

    async def run() -> None:
        asker: Asker | BatchAsker
        if way == "in batches":
            asker = BatchAsker(
                folder / "output" / "ledger.db", PRICES, tempo=Tempo(linger=0.02, poll=0.01), say=said.append
            )
        else:
            asker = Asker(folder / "output" / "ledger.db", PRICES, patience=Patience(first_wait=0.01), say=said.append)
        async with asker as ask:
            for result in await asyncio.gather(
                *(ask(ask_for(f"thing {n}")) for n in range(12)), return_exceptions=True
            ):
                if isinstance(result, BaseException):
                    reports.extend([str(describe(result, 0)), *traceback.format_exception(result)])
                else:
                    reports.append(repr(result))
            reports.append(repr(asker.__dict__))

    for _ in range(3):
        asyncio.run(run())
    assert any("Bearer" in value for seen in server.seen for value in seen.headers.values()) or way == "in batches"
    (tmp_path / "log").write_text(caplog.text + "".join(capfd.readouterr()) + "".join(said) + "".join(reports))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 2
    assert [path for path in files if KEY.encode() in unpacked(path)] == []
    if way == "one by one":
        assert b"sk-an-example-of-somebody" in b"".join(map(unpacked, files)), "what an answer shows stays"


def unpacked(path: Path) -> bytes:
    """A file's bytes; of a ledger also those that are compressed in it."""
    content = path.read_bytes()
    if path.suffix == ".db":
        import sqlite3
        import zlib

        connection = sqlite3.connect(path)
        for (raw,) in connection.execute("SELECT raw FROM attempt WHERE raw IS NOT NULL"):
            content += zlib.decompress(raw)
        connection.close()
    return content


def test_openai_and_keyring_are_imported_when_something_is_sent_and_not_before() -> None:
    code = "import sys; import core.teacher.asking.asker, core.teacher.asking.batches; print([n for n in ('openai', 'httpx2', 'keyring') if n in sys.modules])"
    root = Path(__file__).resolve().parents[4]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
