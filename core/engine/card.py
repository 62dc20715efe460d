"""What is said of the starter, measured on what it has never read: the model card that ships beside its weights.

Headers are of functions in held-back files; the model goes on from package clause, comment and signature until the function
ends. A completion counts only when it closes the function itself within the token limit and Go's parser accepts the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.engine import corpus, generate
from core.engine.asked import Piece
from core.engine.compute import describe
from core.golang.checker import Checker, CheckItem
from core.golang.toolchain import Toolchain
from core.inference.sampling import Sampling

HEADERS = 50
SAMPLING = Sampling(temperature=0.2, top_p=0.95, max_tokens=256, stop=("\n}\n",), seed=7)


@dataclass(frozen=True, slots=True)
class Measured:
    """headers tried; closed: the function ended within the limit; parsed: and Go's parser accepts it."""

    headers: int
    closed: int
    parsed: int


@dataclass(frozen=True, slots=True)
class Build:
    """How a starter came to be: numbers for its card. validation: mean loss a token on held-back files."""

    files: int
    held_back: int
    functions: int
    samples: int
    tokens: int
    validation: float
    minutes: float
    parameters: int


def headers(files: Sequence[corpus.File], count: int = HEADERS) -> list[corpus.Function]:
    """The same `count` functions of held-back files every time, spread over the files by hash."""
    found = [function for file in files if file.held_back for function in corpus.functions(file)]
    return sorted(found, key=lambda function: hashlib.sha256(function.code.encode()).digest())[:count]


def measure(chatter: generate.Chatter, functions: Sequence[corpus.Function], toolchain: Toolchain) -> Measured:
    """Complete every header and let Go parse the result."""
    closed = 0
    items: list[CheckItem] = []
    for number, function in enumerate(functions):
        head = f"package p\n\n// {function.doc}\n{function.signature}\n"
        text = ""
        ended = False
        for part in chatter.answer(chatter.text_ids(head), SAMPLING):
            if isinstance(part, Piece):
                text += part.text
            else:
                ended = part.stop_string is not None
        if ended:
            closed += 1
            items.append(CheckItem(number, f"{head}{text}\n}}\n"))
    with Checker(toolchain) as checker:
        parsed = sum(result.states["parse"] == "pass" for result in checker.check(items))
    return Measured(len(functions), closed, parsed)


def write(folder: Path, build: Build, measured: Measured, go: str) -> None:
    """README.md and card.json (the same numbers for programs) in the model's folder."""
    today = datetime.now(UTC).date().isoformat()
    numbers = {
        "files": build.files,
        "held_back": build.held_back,
        "functions": build.functions,
        "samples": build.samples,
        "tokens": build.tokens,
        "validation_loss": round(build.validation, 3),
        "minutes": round(build.minutes),
        "parameters": build.parameters,
        "headers": measured.headers,
        "closed": measured.closed,
        "parsed": measured.parsed,
        "go": go,
        "hardware": describe(),
        "date": today,
    }
    (folder / "card.json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(
        f"""# Starter: a small Go model to begin with

A Llama-type causal language model of {build.parameters / 1e6:.1f} million parameters with a byte-level BPE of 4,096 tokens. It is
there so that training and the playground work on any machine, without a network and without a GPU. It writes text that
looks like Go; it does not know what is asked. Tune a real base model for answers of use.

| | |
|---|---|
| read | {build.files - build.held_back:,} files of the {go} standard library (no tests, vendored, generated or per-platform files) |
| and in chat shape | {build.functions:,} documented functions of these files, {build.samples:,} bundled samples |
| training | {build.tokens / 1e6:.1f} million tokens in {build.minutes:.0f} minutes, by `core.engine.loop`, objective `text`, full weights, bf16 |
| hardware | {describe()} |
| loss on unseen files | {build.validation:.2f} nats a token over {build.held_back} held-back files (128 pieces spread over them) |
| completions that parse | {measured.parsed} of {measured.headers} unseen function headers ({measured.parsed / max(1, measured.headers):.0%}); {measured.closed} closed the function within 256 tokens. Temperature 0.2, top-p 0.95 |
| date | {today} |

Made anew by `gosmith starter build`. The Go standard library is under a BSD-style licence (Copyright The Go Authors); the
bundled samples and this model are part of Gosmith, Apache-2.0.
""",
        encoding="utf-8",
    )
