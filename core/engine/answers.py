"""A small exam while a run goes on: questions of the validation set, the student's answers, and whether they are Go.

Greedy decoding, so that two exams of the same weights give the same answers. It compares a run with itself; it is no evaluation, whose
problems have tests. Every process of a sharded run takes part in the decoding; rank 0 asks the Go helper and writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from torch.distributed.fsdp import FSDPModule, register_fsdp_forward_method

from core.engine import attention, documents, generate
from core.engine.asked import Piece
from core.engine.prepare import Monitor, Prepared
from core.engine.sharding import give_back
from core.errors import UserError
from core.files import write_json
from core.golang import extract, toolchain
from core.golang.checker import Checker, CheckItem
from core.inference.sampling import Sampling

LONGEST = 256
"""New tokens of an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """verdict: "compiles" (its types check), "parses", or "fails"; message: the first complaint."""

    prompt: str
    text: str
    verdict: str
    message: str


class Exam:
    """The questions of a run, asked again and again. count: how many at most."""

    def __init__(
        self, prepared: Prepared, snapshot: Path, output: Path, monitor: Monitor, count: int, *, first: bool
    ) -> None:
        self._prepared = prepared
        self._output = output
        self._monitor = monitor
        self._first = first
        self._checker: Checker | None = None
        self._questions = questions(snapshot / "validation.jsonl", count) if count else []
        if self._questions and isinstance(prepared.objective, FSDPModule):
            register_fsdp_forward_method(prepared.objective, "next_logits")
        if self._questions and first:
            try:
                self._checker = Checker(toolchain.find())
            except UserError as error:
                monitor.event("message", text=f"Answers are not checked: {error.message}")

    def close(self) -> None:
        """End the Go helper."""
        if self._checker is not None:
            self._checker.close()

    def hold(self, step: int) -> None:
        """Ask everything once; an event "answers" with the shares that parse and compile, and the answers in a file."""
        if not self._questions:
            return
        texts = self._ask()
        if self._checker is None:
            return
        told = graded(self._checker, [question[-1]["content"] for question in self._questions], texts)
        path = self._output / f"answers-{step:06d}.json"
        write_json(path, {"step": step, "answers": [asdict(answer) for answer in told]})
        good = sum(answer.verdict == "compiles" for answer in told)
        parsed = good + sum(answer.verdict == "parses" for answer in told)
        self._monitor.event(
            "answers", step=step, parsed=parsed / len(told), compiled=good / len(told), count=len(told), path=str(path)
        )

    def _ask(self) -> list[str]:
        student, compute = self._prepared.student, self._prepared.compute
        self._prepared.objective.eval()
        chatter = generate.Chatter(student.causal, student.tokenizer, compute, run=self._prepared.objective.next_logits)
        wanted = Sampling(temperature=0.0, max_tokens=LONGEST, seed=0)
        texts = []
        with attention.own_attention(student.causal, "sdpa"), compute.autocast():
            for question in self._questions:
                parts = chatter.answer(chatter.chat_ids(question), wanted)
                texts.append("".join(part.text for part in parts if isinstance(part, Piece)))
        give_back(self._prepared.objective)
        return texts


def questions(path: Path, count: int) -> list[Sequence[Mapping[str, str]]]:
    """Conversations up to their last answer, `count` of them spread over the file."""
    rows = [row for row in documents.read_rows(path) if isinstance(row, documents.Row) and row.messages]
    asked = []
    for row in rows:
        last = max((i for i, message in enumerate(row.messages) if message["role"] == "assistant"), default=0)
        if last:
            asked.append(row.messages[:last])
    every = max(1, len(asked) // count)
    return list(asked[::every][:count])


def graded(checker: Checker, prompts: Sequence[str], texts: Sequence[str]) -> list[Answer]:
    """What the Go helper says of the code in each answer; an answer without code fails."""
    codes = [extract.from_answer(text).code for text in texts]
    results = {
        result.key: result for result in checker.check([CheckItem(i, code) for i, code in enumerate(codes) if code])
    }
    told = []
    for number, (prompt, text) in enumerate(zip(prompts, texts, strict=True)):
        result = results.get(number)
        if result is None:
            told.append(Answer(prompt, text, "fails", "There is no Go code in this answer."))
            continue
        good = result.states["types"] == "pass"
        verdict = "compiles" if good else "parses" if result.states["parse"] == "pass" else "fails"
        complaint = next((item.message for item in result.diagnostics if item.check in ("parse", "types")), "")
        told.append(Answer(prompt, text, verdict, "" if good else complaint))
    return told
