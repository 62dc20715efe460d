"""Files and batches of the scripted endpoint: a batch is validated, runs for a few looks, and ends as its `BatchScript` says."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.core.teacher.asking.scripted_replies import Reply, Seen, error

if TYPE_CHECKING:
    from tests.core.teacher.asking.scripted_server import ScriptedServer


@dataclass
class BatchScript:
    """looks: polls before a batch ends. end: its last status. done: share of its requests that are answered by then. executed: how often each
    request was answered, and so billed, by custom_id. replies: what an answer is, by the text of its question; the server's script says the rest. ended: whether batches end at all."""

    looks: int = 2
    end: str = "completed"
    done: float = 1.0
    refusal: str = ""
    shuffled: bool = True
    ended: bool = True
    replies: Mapping[str, Reply] = field(default_factory=dict)
    executed: Counter[str] = field(default_factory=Counter)
    created: int = 0
    listed: int = 0
    watched: int = 0


def reply(server: ScriptedServer, seen: Seen) -> Reply:
    """What the server says to anything but a question."""
    path, _, query = seen.path.partition("?")
    parts = path.strip("/").split("/")
    if parts[0] == "files" and seen.method == "POST":
        name, content = _uploaded(seen)
        identity = f"file-{len(server.files) + 1}"
        server.files[identity] = (name, content)
        return _json(
            {
                "id": identity,
                "object": "file",
                "bytes": len(content),
                "filename": name,
                "purpose": "batch",
                "created_at": 1,
            }
        )
    if parts[0] == "files" and len(parts) == 3 and parts[1] in server.files:
        return Reply(200, server.files[parts[1]][1], kind="application/octet-stream")
    if parts[0] == "batches" and len(parts) == 1:
        return _create(server, seen) if seen.method == "POST" else _list(server, query)
    if parts[0] == "batches" and parts[1] in server.batches:
        batch = server.batches[parts[1]]
        if len(parts) == 3:
            batch["status"] = "cancelling"
        else:
            _advance(server, batch)
        return _json(batch)
    return error(404, f"Nothing at {seen.path}.")


def _create(server: ScriptedServer, seen: Seen) -> Reply:
    asked = seen.json
    server.batch_script.created += 1
    identity = f"batch_{len(server.batches) + 1}"
    server.batches[identity] = {
        "id": identity, "object": "batch", "endpoint": asked["endpoint"], "input_file_id": asked["input_file_id"], "status": "validating",
        "completion_window": "24h", "created_at": 1, "metadata": asked.get("metadata"), "looks": 0,
    }  # fmt: skip
    return _json(server.batches[identity])


def _list(server: ScriptedServer, query: str) -> Reply:
    server.batch_script.listed += 1
    newest = list(reversed(server.batches.values()))
    after = next((part[6:] for part in query.split("&") if part.startswith("after=")), "")
    if after:
        newest = newest[[one["id"] for one in newest].index(after) + 1 :]
    return _json(
        {"object": "list", "data": newest[:1], "has_more": len(newest) > 1}
    )  # small pages, so that all are turned


def _advance(server: ScriptedServer, batch: dict[str, Any]) -> None:
    script = server.batch_script
    script.watched += 1
    if batch["status"] == "cancelling":
        _finish(server, batch, "cancelled")
    elif batch["status"] in ("validating", "in_progress") and script.ended:
        batch["looks"] += 1
        batch["status"] = "in_progress"
        if batch["looks"] >= script.looks:
            _finish(server, batch, script.end)


def _finish(server: ScriptedServer, batch: dict[str, Any], status: str) -> None:
    script = server.batch_script
    batch["status"] = status
    if status == "failed":
        batch["errors"] = {"object": "list", "data": [{"code": "invalid", "message": script.refusal, "line": 1}]}
        return
    lines = [json.loads(line) for line in server.files[batch["input_file_id"]][1].splitlines()]
    lines = lines[::-1] if script.shuffled else lines
    done = math.ceil(len(lines) * script.done)
    output: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for line in lines[:done]:
        script.executed[line["custom_id"]] += 1
        text = line["body"]["messages"][-1]["content"]
        body = json.dumps(line["body"]).encode()
        got = script.replies.get(text) or server.script(
            Seen("POST", line["url"], {}, body, hashlib.sha256(body).hexdigest(), 1, len(output) + 1)
        )
        record = {
            "id": "r", "custom_id": line["custom_id"], "error": None,
            "response": {"status_code": got.status, "request_id": "req_2", "body": json.loads(got.body)},
        }  # fmt: skip
        (output if got.status == 200 else errors).append(record)
    code = {"expired": "batch_expired", "cancelled": "batch_cancelled"}.get(status)
    errors += [
        {
            "id": "r",
            "custom_id": line["custom_id"],
            "response": None,
            "error": {"code": code, "message": "Not in time."},
        }
        for line in lines[done:]
        if code
    ]
    for name, records in (("output_file_id", output), ("error_file_id", errors)):
        if records:
            batch[name] = f"file-{len(server.files) + 1}"
            server.files[batch[name]] = (name, "".join(json.dumps(one) + "\n" for one in records).encode())


def _uploaded(seen: Seen) -> tuple[str, bytes]:
    """Name and content of the file in a multipart body."""
    boundary = seen.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    for part in seen.body.split(b"--" + boundary):
        head, _, content = part.partition(b"\r\n\r\n")
        if b'filename="' in head:
            return head.partition(b'filename="')[2].partition(b'"')[0].decode(), content.removesuffix(b"\r\n")
    raise AssertionError("no file was uploaded")


def _json(value: object) -> Reply:
    return Reply(200, json.dumps(value).encode())
