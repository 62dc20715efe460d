"""Completions made into what can be built and run: a candidate and the test that is hidden from it, or why there is none.

Two modes, whose numbers are never mixed: `fixed` reads answers as they were meant, `paper` does what the published harness of the
suite does. Nothing is run here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from core.errors import UserError
from core.evaluation import paper
from core.evaluation.answers import answer, opening
from core.evaluation.hidden import company, hidden_test
from core.evaluation.suites import OURS, Problem
from core.golang.checker import Checker, CheckItem, CheckResult
from core.golang.imports import mended
from core.golang.pipeline import GivenUp, Pipeline
from core.golang.toolchain import Toolchain

MODES = ("fixed", "paper")
_MENDINGS = 3  # a missing import may hide another


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked. text ends where it is to go on, if it is no chat; stops: texts at which it is stopped."""

    text: str
    chat: str
    stops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assembled:
    """code and test: two Go files of one package. status: "" where they can be run, else why not, and detail in words."""

    code: str
    test: str
    status: str = ""
    detail: str = ""


def check_mode(suite_format: str, mode: str) -> None:
    """Raises UserError for a mode or a suite with which no candidate can be made."""
    if mode not in MODES:
        raise UserError(f"There is no mode “{mode}”.", f"Choose one of {', '.join(MODES)}.")
    if not modes(suite_format):
        raise UserError(
            "The problems of this suite are in Python, so Go cannot be measured on them.",
            "Use HumanEval-X, HumanEvalPack or MultiPL-E in Go; this one serves to find samples that give it away.",
        )
    if mode not in modes(suite_format):
        raise UserError("No paper measured with this suite, so it has no mode “paper”.", "Use --mode fixed.")


def modes(suite_format: str) -> tuple[str, ...]:
    """In which a suite of this format can be evaluated; none for one whose problems are not in Go."""
    if suite_format == "humaneval":
        return ()
    return tuple(mode for mode in MODES if mode != "paper" or suite_format != OURS)


def question(suite_format: str, problem: Problem, mode: str) -> Question:
    """What a model is asked for this problem."""
    stops = paper.stops(suite_format, problem) if mode == "paper" else ()
    if suite_format == OURS:
        return Question(opening(suite_format, problem), problem.prompt, stops)
    asked = f"Complete this Go function. Answer with one Go code block that holds the whole function.\n\n```go\n{problem.prompt.rstrip()}\n```"
    return Question(problem.prompt, asked, stops)


class Assembler:
    """Makes candidates of one suite in one mode. Use as a context manager; for one thread at a time."""

    def __init__(self, suite_format: str, mode: str, toolchain: Toolchain, *, workers: int = 2) -> None:
        """Raises UserError as `check_mode`."""
        check_mode(suite_format, mode)
        self._format = suite_format
        self._mode = mode
        self._pipeline = Pipeline(toolchain, workers=workers, seconds=10.0)
        self._checker = Checker(toolchain, workers=workers)
        self._tests: dict[str, str] = {}

    def __enter__(self) -> Assembler:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipeline.close()
        self._checker.close()

    def assemble(self, completions: Iterable[tuple[Problem, str]]) -> list[Assembled]:
        """What becomes of each completion, in order."""
        pairs = list(completions)
        if self._mode == "paper":
            return self._checked([self._program(problem, text) for problem, text in pairs])
        self._prepare(problem for problem, _ in pairs)
        return self._checked(list(self._candidates(pairs)))

    def _program(self, problem: Problem, completion: str) -> Assembled:
        if not completion.strip():
            return Assembled("", "", "extract", "the completion is empty")
        text, beside = company(self._format, paper.program(self._format, problem, completion))
        return Assembled(beside, text)

    def _prepare(self, problems: Iterable[Problem]) -> None:
        """The hidden tests, with the imports that they need."""
        new = {one.task: hidden_test(self._format, one) for one in problems if one.task not in self._tests}
        if self._format != OURS:
            new = dict(zip(new, self._imports(list(new.values()))[0], strict=True))
        self._tests |= new

    def _imports(self, texts: list[str]) -> tuple[list[str], list[CheckResult]]:
        """The same texts with their imports put right, and what is said of them then."""
        texts, results = list(texts), self._check(texts)
        open_ = list(range(len(texts)))
        for _ in range(_MENDINGS):
            better = {at: text for at in open_ if (text := mended(texts[at], results[at].diagnostics)) is not None}
            for (at, text), result in zip(better.items(), self._check(list(better.values())), strict=True):
                texts[at], results[at] = text, result
            open_ = list(better)
        return texts, results

    def _candidates(self, pairs: list[tuple[Problem, str]]) -> Iterator[Assembled]:
        answers = [answer(self._format, problem, text) for problem, text in pairs]
        asked = (
            (at, {
                "code": one.text, "given": one.given, "open": one.open, "entry": problem.entry_point, "test": self._tests[problem.task],
            })
            for at, ((problem, _), one) in enumerate(zip(pairs, answers, strict=True)) if one is not None
        )  # fmt: skip
        made: dict[int, Assembled] = {}
        for at, said in self._pipeline.ask(asked):
            made[at] = _candidate(said, self._tests[pairs[at][0].task])
        nothing = Assembled("", "", "extract", "the completion holds no Go code")
        yield from (made.get(at, nothing) for at in range(len(pairs)))

    def _checked(self, made: list[Assembled]) -> list[Assembled]:
        """The same with what the parser and the type checker say; in the mode `fixed` imports are put right first."""
        places = [at for at, one in enumerate(made) if not one.status]
        if self._mode == "fixed":
            texts, results = self._imports([made[at].code for at in places])
            for at, code in zip(places, texts, strict=True):
                made[at] = replace(made[at], code=code)
        else:
            results = self._check([made[at].test for at in places])
        for at, result in zip(places, results, strict=True):
            status, detail = _complaint(result)
            made[at] = replace(made[at], status=status, detail=detail)
        return made

    def _check(self, texts: list[str]) -> list[CheckResult]:
        return list(self._checker.check(CheckItem(at, text) for at, text in enumerate(texts)))


def _candidate(said: dict[str, object] | GivenUp, test: str) -> Assembled:
    if isinstance(said, GivenUp):
        return Assembled("", "", "build_timeout", f"kills the checker ({said.reason})")
    wrong = said["wrong"]
    if isinstance(wrong, dict):
        return Assembled(str(said["code"]), test, "syntax", f"line {wrong['line']}: {wrong['message']}")
    if said["refused"]:
        return Assembled(str(said["code"]), test, "refused", f"the answer {said['refused']}")
    return Assembled(str(said["code"]), test)


def _complaint(result: CheckResult) -> tuple[str, str]:
    """Status and words for a text that cannot be built; "" twice for the others."""
    states = result.states
    for check, status in (("parse", "syntax"), ("types", "types")):
        said = [one for one in result.diagnostics if one.check == check and one.message != "undefined: assert"]
        given_up = bool(said) and said[0].message.startswith("This code ")
        if said and (states[check] == "fail" or (check == "types" and states["types"] == "skipped")):
            where = f"line {said[0].line}: " if said[0].line else ""
            return ("build_timeout" if given_up else status), where + said[0].message
    return "", ""
