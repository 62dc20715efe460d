"""One sample from its draw to its outcome: task, hygiene, solution, Go's verdict, one repair with the toolchain's words.

Knows neither how a question travels nor where results are kept. What was paid for is in the outcome, whatever becomes of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.golang.extract import from_answer
from core.teacher.answers import Solution, read_broken, read_solution, read_task, write_answer
from core.teacher.drawing import Draw
from core.teacher.exchange import Answer, Ask, AskFailedError, Question, refusal_in
from core.teacher.hygiene import Hygiene, task_key
from core.teacher.plan import TeacherPlan
from core.teacher.proving import Proof, Prover
from core.teacher.recipes import FIX, PROMPT, REPAIR, SYSTEM, Recipe, Stage
from core.teacher.results import Exchange, Made, Outcome, Result


@dataclass(frozen=True, slots=True)
class Bench:
    """What all samples of a job share. go: the version that the teacher is told, such as "1.27"."""

    plan: TeacherPlan
    recipe: Recipe
    ask: Ask
    prover: Prover
    hygiene: Hygiene
    go: str


@dataclass(frozen=True, slots=True)
class Task:
    """What a sample asks. prompt: as its user writes it. code: that stands in it, "" where none does. rival: broken code on which the test must fail."""

    prompt: str
    code: str = ""
    test: str = ""
    words: str = ""
    rival: str = ""


class _EndError(Exception):
    """This sample goes no further."""

    def __init__(self, result: Result, reason: str) -> None:
        super().__init__(reason)
        self.result = result


@dataclass(slots=True)
class _Work:
    """One sample under way."""

    bench: Bench
    draw: Draw
    exchanges: list[Exchange] = field(default_factory=list)
    task: Task = Task("")

    async def ask(self, stage: str, of: Stage, messages: Sequence[Mapping[str, str]], index: int = 0) -> Answer:
        """Ask and keep what comes back. Raises _EndError where it is nothing to go on with."""
        plan = self.bench.plan
        question = Question(plan.base_url, plan.model, tuple(messages), parameters(plan, of), index)
        try:
            answer = await self.bench.ask(question)
        except AskFailedError as error:
            raise _EndError("failed", str(error)) from error
        asked = tuple((one["role"], one["content"]) for one in messages)
        self.exchanges.append(Exchange(stage, asked, answer, index, dict(question.parameters)))
        if reason := refusal_in(answer, "teacher"):
            raise _EndError("failed", reason)
        text = answer.text.encode("utf-8", "replace").decode()  # half a character can be sent to nobody
        return replace(answer, text=text)

    def render(self, template: str, **given: Any) -> str:
        return rendered(self.bench.recipe, self.draw, self.bench.go, template, **given)

    def messages(self, template: str, **given: Any) -> tuple[Mapping[str, str], ...]:
        return conversation(self.bench.recipe, self.draw, self.bench.go, template, **given)


def parameters(plan: TeacherPlan, of: Stage) -> dict[str, Any]:
    """The fields of a stage's request: the plan's, with the stage's own. A stage's max_tokens only lowers a plan's: models that think want
    another field, or none."""
    own = dict(of.parameters)
    least = own.pop("max_tokens", None)
    merged = {**plan.parameters, **own}
    if isinstance(least, int) and isinstance(merged.get("max_tokens"), int):
        merged["max_tokens"] = min(least, merged["max_tokens"])
    return merged


def rendered(recipe: Recipe, draw: Draw, go: str, template: str, **given: Any) -> str:
    """A template's text for a draw. Raises UserError with file and line where it cannot be made."""
    texts = {name: value.strip("\n") if isinstance(value, str) else value for name, value in given.items()}
    return recipe.render(template, go=go, **draw.given(), **texts)


def conversation(recipe: Recipe, draw: Draw, go: str, template: str, **given: Any) -> tuple[Mapping[str, str], ...]:
    """The messages that begin a conversation with this question."""
    system = {"role": "system", "content": rendered(recipe, draw, go, SYSTEM, **given)}
    return (system, {"role": "user", "content": rendered(recipe, draw, go, template, **given)})


async def make(draw: Draw, bench: Bench) -> Outcome:
    """Make one sample. Raises PausedError when nothing more is sent for now, and UserError where Go or a template fails."""
    work = _Work(bench, draw)
    try:
        work.task = await _task(work)
        return await _solve(work)
    except _EndError as end:
        return _outcome(work, end.result, str(end))


async def _task(work: _Work) -> Task:
    file, code, test, words, rival, text = work.bench.recipe.file, "", "", "", "", ""
    if file.instruction is None:
        code = work.draw.seed.text if work.draw.seed is not None else ""
    else:
        answer = await work.ask(
            "instruction", file.instruction, work.messages(file.instruction.template), work.draw.again
        )
        text = read_task(answer.text)
        if file.broken == "checked":
            text, code, test = read_broken(answer.text)
            proof = await work.bench.prover.prove(code, test, quick=True)
            if not code or not test or not proof.words():
                raise _EndError(
                    "refused", "The code that was to be broken is not: the toolchain has nothing to say of it."
                )
            code, test, words = proof.code, proof.test, proof.words()
            rival = code if proof.states["types"] == "pass" else ""
        elif file.broken == "prompt" or file.given:
            code = from_answer(text).code
            if not code:
                raise _EndError("failed", "The task was to hold code, and holds none.")
            proof = await work.bench.prover.prove(code, "", quick=True)
            if proof.states["types"] != "pass":  # no test could be run on it
                raise _EndError(
                    "refused", f"The code in the task does not compile alone: {proof.words().partition(chr(10))[0]}."
                )
            rival = code if file.broken == "prompt" else ""
    prompt = work.render(PROMPT, task=text, code=code, test=test, words=words)
    refusal = work.bench.hygiene.refuse(prompt, file.limits)
    if refusal is not None:
        work.task = Task(prompt)
        raise _EndError("refused", refusal.reason)
    work.bench.hygiene.tasks.add(task_key(work.draw.number), prompt)
    return Task(prompt, code, test, words, rival)


async def _solve(work: _Work) -> Outcome:
    bench, task, file = work.bench, work.task, work.bench.recipe.file
    asked = work.messages(file.solution.template, task=task.prompt, code=task.code, test=task.test, words=task.words)
    first = work.draw.again * file.answers
    answers = await _all([work.ask("solution", file.solution, asked, first + n) for n in range(file.answers)])
    solutions = [_read(work, answer) for answer in answers]
    proofs = await _all(
        [bench.prover.prove(one.code, one.test, rival=task.rival) for one in solutions if one.code.strip()]
    )
    if not proofs:
        raise _EndError("failed", "The answer holds no Go code.")
    kept = [(answer, one) for answer, one in zip(answers, solutions, strict=True) if one.code.strip()]
    best, agreement, agreed = await _agreed(work, proofs)
    answer, solution, proof = *kept[best], proofs[best]
    fix: tuple[Made, ...] = ()
    if not proof.verified:
        mended = await _repair(work, asked, answer, proof)
        if mended is not None:
            if mended[1].verified and proof.words():
                fix = (_fix(work, proof, *mended),)
            solution, proof = mended
    made = _made(work, "sample", ((("user", task.prompt)), ("assistant", _written(solution, proof))), proof)
    reason = proof.lacks() or ("" if agreed else f"The other solutions disagree: it passes {agreement} tests.")
    fewest, most = file.limits.lines
    if not reason and not fewest <= (lines := proof.code.count("\n")) <= most:
        reason = f"The code has {lines} lines; {fewest} to {most} are wanted."
    made = replace(made, verified=not reason)
    result: Result = "unverified" if reason else "verified"
    return replace(_outcome(work, result, reason), made=(made, *fix), agreement=agreement)


async def _all(coroutines: Sequence[Any]) -> list[Any]:
    """Their results in order. Where one raises, the others are ended first: nobody asks on for a sample that has ended."""
    tasks = [asyncio.ensure_future(one) for one in coroutines]
    try:
        return [await one for one in tasks]
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _read(work: _Work, answer: Answer) -> Solution:
    solution = read_solution(answer.text)
    if work.bench.recipe.file.given:  # the teacher writes the test; should it repeat the code, ours counts
        test = solution.test or (from_answer(answer.text).code if "testing" in answer.text else "")
        return replace(solution, code=work.task.code, test=test)
    return solution


async def _agreed(work: _Work, proofs: Sequence[Proof]) -> tuple[int, str, bool]:
    """Which solution to keep, how many tests it passes in words, and whether most tests agree with it."""
    if len(proofs) == 1:
        return 0, "", True
    pairs = [
        (at, other)
        for at, proof in enumerate(proofs)
        for other, theirs in enumerate(proofs)
        if at != other and proof.states["types"] == "pass" and theirs.test
    ]
    found = await _all(
        [work.bench.prover.prove(proofs[at].code, proofs[other].test, quick=True) for at, other in pairs]
    )
    passes = Counter(at for at, proof in enumerate(proofs) if proof.sound)
    passes.update(at for (at, _), proof in zip(pairs, found, strict=True) if proof.states["test"] == "pass")
    best = max(range(len(proofs)), key=lambda at: (passes[at], proofs[at].verified, -at))
    return best, f"{passes[best]} of {len(proofs)}", 2 * passes[best] > len(proofs)


async def _repair(
    work: _Work, asked: Sequence[Mapping[str, str]], answer: Answer, proof: Proof
) -> tuple[Solution, Proof] | None:
    """Send it back once; None where nothing better came."""
    words = proof.words() or proof.lacks()
    again = work.render(REPAIR, words=words, weak=proof.sound, task=work.task.prompt, code=proof.code, test=proof.test)
    messages = (*asked, {"role": "assistant", "content": answer.text}, {"role": "user", "content": again})
    try:
        mended = _read(work, await work.ask("repair", work.bench.recipe.file.solution, messages, work.draw.again))
    except _EndError:
        return None
    if not mended.code.strip():
        return None
    return mended, await work.bench.prover.prove(mended.code, mended.test, rival=work.task.rival)


def _written(solution: Solution, proof: Proof) -> str:
    return write_answer(Solution(solution.notes, proof.code, proof.test))


def _fix(work: _Work, failed: Proof, solution: Solution, proof: Proof) -> Made:
    """What did not pass, with the toolchain's words, and the answer that mended it."""
    prompt = work.render(FIX, task=work.task.prompt, code=failed.code, test=failed.test, words=failed.words())
    return replace(_made(work, "fix", (("user", prompt), ("assistant", _written(solution, proof))), proof), near=None)


def _made(work: _Work, kind: str, messages: tuple[tuple[str, str], ...], proof: Proof) -> Made:
    hygiene = work.bench.hygiene
    near = None
    if kind == "sample":
        near = hygiene.near(proof.code)
        hygiene.codes.add(task_key(work.draw.number), proof.code)
    leaks = hygiene.contaminated(messages[0][1], messages[-1][1], proof.code)
    return Made(
        kind,
        messages,
        proof.verified,
        proof.states,
        proof.diagnostics,
        proof.policy,
        proof.toolchain,
        near,
        tuple(leaks),
    )


def _outcome(work: _Work, result: Result, reason: str) -> Outcome:
    draw = work.draw
    seed = draw.seed
    return Outcome(
        number=draw.number,
        result=result,
        reason=reason,
        topic=draw.topic,
        draw={name: choice.value for name, choice in draw.axes.items()},
        origin=seed.origin if seed else "",
        task=work.task.prompt,
        parents=(seed.origin,) if seed is not None and seed.kind == "sample" else (),
        exchanges=tuple(work.exchanges),
    )
