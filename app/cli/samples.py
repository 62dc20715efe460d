"""`gosmith samples …`: everything the samples page does, from a shell."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from app.cli import curating
from app.cli.output import Progress, Session, table
from app.cli.search import database, query_of
from core.errors import UserError
from core.samples import edits, query, store
from core.settings import load_settings

STATUSES = ("new", "accepted", "rejected", "needs_work")
EXPORT_FORMATS = ("openai", "alpaca", "sharegpt", "prompt-completion", "parquet")


@click.group()
def samples() -> None:
    """Import, list, check, review and export samples.

    QUERY is the search language of the window: status:accepted verdict:fail check:vet tokens:>200 tag:concurrency snapshot:gold-v1 "free text" sort:-tokens
    """


@samples.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "format_", help="The format, where detection should not decide.")
@click.option("--source", help="Who wrote them, as `source:` in searches.")
@click.pass_obj
def import_(session: Session, files: tuple[Path, ...], format_: str | None, source: str | None) -> None:
    """Import OpenAI chat, Alpaca, ShareGPT or prompt/completion files (JSONL, JSON, gz, parquet)."""
    from core.samples import importing

    progress = Progress("Importing")
    with database(session) as connection:
        result = importing.import_files(connection, files, format=format_, source=source, progress=progress.update)
    progress.end()
    _answer_import(session, result)


@samples.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many.")
@click.pass_obj
def mine(session: Session, directory: Path, limit: int | None) -> None:
    """Make samples out of the documented functions of a Go source tree."""
    from core.samples import mining

    progress = Progress("Mining")
    with database(session) as connection:
        result = mining.mine(connection, directory, limit=limit, progress=progress.update)
    progress.end()
    _answer_import(session, result)


def _answer_import(session: Session, result: Any) -> None:
    rejected = [{"file": str(row.file), "line": row.line, "reason": row.reason} for row in result.rejected]
    data = {"imported": result.imported, "duplicates": result.duplicates, "rejected": rejected}
    lines = [f"Imported {result.imported:,}, already there {result.duplicates:,}, rejected {len(rejected):,}."]
    lines += [f"  {row['file']}:{row['line']}: {row['reason']}" for row in rejected[:20]]
    if len(rejected) > 20:
        lines.append(f"  … and {len(rejected) - 20:,} more; --json lists all")
    session.answer(data, "\n".join(lines))


@samples.command("list")
@click.argument("words", nargs=-1)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@click.pass_obj
def list_(session: Session, words: tuple[str, ...], limit: int) -> None:
    """List samples that match QUERY."""
    with database(session, readonly=True) as connection:
        found = query.ids(connection, query_of(words))[:limit]
        details = [store.sample(connection, key) for key in found]
    data = {"samples": [_as_json(sample) for sample in details]}
    rows = [
        (s.id, s.status, _worst(asdict(s.verdict)), s.topic, s.source, " ".join(s.prompt.split())[:70]) for s in details
    ]
    session.answer(data, table(rows, ("id", "status", "verdict", "topic", "source", "prompt")))


def _as_json(sample: store.Sample) -> dict[str, Any]:
    return {
        "id": sample.id, "uid": sample.uid, "version": sample.version, "status": sample.status, "rating": sample.rating,
        "reasons": list(sample.reasons), "note": sample.note, "topic": sample.topic, "source": sample.source,
        "tags": list(sample.tags), "prompt": sample.prompt, "response": sample.response, "code": sample.code,
        "test": sample.test, "messages": [{"role": m.role, "content": m.content} for m in sample.messages],
        "verdict": asdict(sample.verdict), "diagnostics": [asdict(d) for d in sample.diagnostics],
    }  # fmt: skip


def _worst(verdict: dict[str, str | None]) -> str:
    failed = [name for name, state in verdict.items() if state == "fail"]
    if failed:
        return f"{failed[0]} fails"
    return "pass" if any(state == "pass" for state in verdict.values()) else "unchecked"


@samples.command()
@click.argument("words", nargs=-1)
@click.pass_obj
def count(session: Session, words: tuple[str, ...]) -> None:
    """Count samples that match QUERY."""
    with database(session, readonly=True) as connection:
        number = query.count(connection, query_of(words))
    session.answer({"count": number}, f"{number:,}")


@samples.command()
@click.argument("words", nargs=-1)
@click.option("--level", type=click.Choice(["types", "vet", "test"]), default="types", show_default=True)
@click.option("--again", is_flag=True, help="Also what this toolchain has judged before.")
@click.option("--race", is_flag=True, help="Run the tests under the race detector; needs a C compiler.")
@click.pass_obj
def check(session: Session, words: tuple[str, ...], level: str, again: bool, race: bool) -> None:
    """Ask the Go toolchain about samples that match QUERY: parse, format, types, then vet and tests."""
    from app.cli.waiting import wait_for
    from core.samples import checking

    workspace = session.workspace()
    with database(session) as connection:
        folder = checking.start_check(workspace.jobs, connection, query_of(words), level, again=again, race=race)
        info = wait_for(folder, "Checking")
        checking.take_in(connection, folder)
        summary = checking.summary(folder)
    seconds = (info.finished or 0) - (info.started or 0)
    data = {
        "checked": summary.checked, "cached": summary.cached, "passed": summary.passed, "failed": summary.failed,
        "seconds": round(seconds, 3), "by_check": summary.by_check, "job": info.id,
    }  # fmt: skip
    parts = [
        f"{name} {states.get('fail', 0):,} fail" for name, states in summary.by_check.items() if states.get("fail")
    ]
    text = f"Checked {summary.checked:,} in {seconds:.1f} s: {summary.passed:,} pass, {summary.failed:,} fail"
    text += f"; {summary.cached:,} known before" if summary.cached else ""
    session.answer(data, text + (f" ({', '.join(parts)})" if parts else ""))


@samples.command()
@click.argument("ids", nargs=-1, required=True, type=int)
@click.option("--status", type=click.Choice(STATUSES))
@click.option("--reason", "reasons", multiple=True, help="Why; may be given more than once.")
@click.option("--rating", type=click.IntRange(0, 5), help="1 to 5; 0 clears it.")
@click.option("--note")
@click.pass_obj
def review(
    session: Session,
    ids: tuple[int, ...],
    status: str | None,
    reasons: tuple[str, ...],
    rating: int | None,
    note: str | None,
) -> None:
    """Decide on samples by id."""
    if status is None and rating is None and note is None and not reasons:
        raise click.UsageError("Say what to change: --status, --reason, --rating or --note.")
    with database(session) as connection:
        _check_known(connection, ids)
        operation = edits.review(
            connection, ids, status=status, rating=rating, reasons=reasons or None, note=note, author=load_settings().reviewer
        )  # fmt: skip
    _answer_operation(session, operation)


@samples.command()
@click.argument("sample_id", type=int)
@click.option("--response-file", required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def edit(session: Session, sample_id: int, response_file: Path) -> None:
    """Replace the answer of a sample; the old text stays as an earlier version."""
    try:
        response = response_file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{response_file} is not UTF-8 (byte {error.start}).", "Save it as UTF-8 and try again."
        ) from error
    except OSError as error:
        raise UserError(f"{response_file} cannot be read: {error.strerror}.", "Name a readable text file.") from error
    with database(session) as connection:
        _check_known(connection, (sample_id,))
        base = store.sample(connection, sample_id).version
        operation = edits.edit(connection, sample_id, response, base_version=base)
    _answer_operation(session, operation)


@samples.command()
@click.pass_obj
def undo(session: Session) -> None:
    """Undo the last operation on samples, also one of yesterday."""
    with database(session) as connection:
        operation = edits.undo(connection)
    if operation is None:
        raise UserError("There is nothing to undo.", "Operations appear here once samples are changed.")
    _answer_operation(session, operation, "Undone: ")


@samples.command()
@click.pass_obj
def redo(session: Session) -> None:
    """Do again what was undone last."""
    with database(session) as connection:
        operation = edits.redo(connection)
    if operation is None:
        raise UserError("There is nothing to redo.", "Redo follows an undo; a new change ends it.")
    _answer_operation(session, operation, "Redone: ")


def _answer_operation(session: Session, operation: edits.Operation, prefix: str = "") -> None:
    data = {"changed": operation.changed, "label": operation.label, "operation": operation.id}
    session.answer(data, f"{prefix}{operation.label} ({operation.changed:,} changed)")


@samples.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("words", nargs=-1)
@click.option("--format", "format_", type=click.Choice(EXPORT_FORMATS), default="openai", show_default=True)
@click.pass_obj
def export(session: Session, out: Path, words: tuple[str, ...], format_: str) -> None:
    """Write samples that match QUERY to OUT, with a manifest beside it."""
    from core.samples import exporting

    with database(session, readonly=True) as connection:
        result = exporting.export(connection, query_of(words), out, format=format_)
    manifest = json.loads(result.manifest.read_text(encoding="utf-8"))
    data = {
        "exported": result.exported, "contaminated": result.contaminated, "sha256": result.sha256, "manifest": manifest,
        "path": str(out),
    }  # fmt: skip
    left_out = f"; {result.contaminated:,} contaminated left out" if result.contaminated else ""
    session.answer(data, f"Exported {result.exported:,} to {out} (sha256 {result.sha256[:12]}…){left_out}")


def _check_known(connection: sqlite3.Connection, ids: Sequence[int]) -> None:
    missing = [key for key, row in zip(ids, store.rows(connection, ids), strict=True) if row is None]
    if missing:
        raise UserError(
            f"There is no sample {', '.join(map(str, missing))} in this workspace.",
            "`gosmith samples list` shows the ids.",
        )


for command in (curating.duplicates, curating.select, curating.score, curating.gofmt, curating.fix_imports):
    samples.add_command(command)
