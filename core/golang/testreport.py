"""Read what a Go test binary printed, and judge: passed only if every test says so by name.

The exit status alone proves nothing (`os.Exit(0)` in a sample gives ok). Needs output of -test.v=test2json, where the
framework's own lines begin with a control character that no sample prints by accident; against one that prints it on
purpose and leaves stands the seal, an example that is the last to report.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.golang.checker import Diagnostic

_MAX_DIAGNOSTICS = 12
_MARK = "\x16"
_HEAD = re.compile(r"(=== (?:RUN|CONT|NAME|PAUSE)|--- (?:PASS|FAIL|SKIP):) +(\S*)(?: \(\d[\d.]*s\))?[ \t]*\n?")
_MESSAGE = re.compile(r" *([\w.-]+\.go):(\d+): ?(.*)")
_FRAME = re.compile(r"^\t\S*/(?:s\d{4})?(code|code_?test)\.go:(\d+)", re.MULTILINE)
_CRASH = re.compile(r"^(panic|fatal error|runtime): (.*(?:\n(?!\n|goroutine |\tpanic: |\[signal ).*)*)", re.MULTILINE)
_RACE = re.compile(
    r"^WARNING: DATA RACE\n(Read|Write) at (.*?\n)\n *Previous (read|write) at (.*?\n)\n", re.MULTILINE | re.DOTALL
)
_RACE_FRAME = re.compile(r"^ +\S*/(?:s\d{4})?(code|code_?test)\.go:(\d+)", re.MULTILINE)
_TOO_LONG = re.compile(r"^SIGXCPU: ", re.MULTILINE)
_TIMEOUT = re.compile(r"panic: test timed out after (\S+)(?:\n\s*running tests:((?:\n\s+\S+ \(\S+\))+))?")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a sample's test. state: "pass", "fail" or "skipped".

    cause, in one word for who counts: "" where it passed; of a test that ran, "wrong", "panic" (or any other crash), "left" (it
    ended before its tests were over), "timeout", "memory", "output", "processes" or "skips"; of one that did not, "syntax", "types",
    "build" (too much for the compiler), "outside" (not of the standard library), "none" (no test) or "sandbox" (our own failure).
    """

    state: str
    diagnostics: tuple[Diagnostic, ...] = ()
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What the framework said: names by outcome, subtests as Parent/sub; last is the test that was under way at the end.

    messages: (test, file, line, text) of t.Error and t.Log in order; errors says which of them failed the test, where the
    Go version marks them.
    """

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    skipped: tuple[str, ...]
    messages: tuple[tuple[str, str, int, str], ...]
    errors: tuple[bool, ...]
    tails: dict[str, str]
    last: str
    complete: bool


def read(stdout: str) -> Report:
    """Split the output of a binary run with -test.v=test2json into what the framework reported."""
    outcomes: dict[str, list[str]] = {"PASS": [], "FAIL": [], "SKIP": []}
    messages: list[tuple[str, str, int, str]] = []
    errors: list[bool] = []
    tails: dict[str, str] = {}
    current = last = ""
    _, *segments = stdout.split(_MARK)
    for segment in segments:
        head = _HEAD.match(segment)
        if head is None:
            continue
        kind, name, text = head[1], head[2], segment[head.end() :]
        if kind.startswith("---"):
            outcomes[kind[4:8]].append(name)
            tails[name] = text
            current = last = ""
        elif kind != "=== PAUSE":
            current = name
            last = name or last
        for message, is_error in _messages(text):
            messages.append((current or name, *message))
            errors.append(is_error)
    complete = any(line.strip("\x0e\x0f") in ("PASS", "FAIL") for line in re.split(r"[\n\x16]", stdout))
    return Report(
        tuple(outcomes["PASS"]), tuple(outcomes["FAIL"]), tuple(outcomes["SKIP"]),
        tuple(messages), tuple(errors), tails, last, complete,
    )  # fmt: skip


def judge(
    tests: Sequence[str],
    *,
    code: int,
    stdout: str,
    stderr: str,
    stopped: str,
    seconds: float,
    processor: int,
    seal: str = "",
) -> Verdict:
    """The verdict on a run in which these tests had to report.

    stopped: "" or why the binary was killed ("time", "output"). seconds, processor: the limits, for the messages.
    seal: the example of ours that must report after all others, "" for none.
    """
    report = read(stdout)
    crash = _crash(stderr, code, stopped, seconds, processor, report)
    if crash is not None:
        cause, said = crash
        return Verdict("fail", (said, *_failures(report, crashed=True))[:_MAX_DIAGNOSTICS], cause)
    if report.failed:
        return Verdict("fail", _failures(report) or (_whole("the tests failed"),), "wrong")
    silent = [name for name in tests if name not in report.passed and name not in report.skipped]
    if code != 0 or silent or not report.complete:
        what = f"{silent[0]} never reported" if silent else "the tests never finished"
        return Verdict("fail", (_whole(f"the program ended with exit code {code}, but {what}"),), "left")
    if seal and seal not in report.passed:
        said = _whole("the program left before its tests were over, whatever it printed")
        return Verdict("fail", (said,), "left")
    if not any(name in report.passed for name in tests):
        why = next((text for _, _, _, text in report.messages), "")
        return Verdict("skipped", (_whole("every test skips itself" + (f": {why}" if why else "")),), "skips")
    return Verdict("pass")


def _crash(
    stderr: str, code: int, stopped: str, seconds: float, processor: int, report: Report
) -> tuple[str, Diagnostic] | None:
    """The cause and what is said of it; None for a program that ended as one does."""
    if code == 0 and not stopped:
        return None  # whatever it wrote to stderr is its own affair
    last = report.last or (report.failed[-1] if report.failed else "")
    during = f" during {last}" if last else ""
    timeout = _TIMEOUT.search(stderr)
    if timeout or stopped == "time":
        names = re.findall(r"\n\s+(\S+) \(", timeout[2] or "") if timeout else [last] if last else []
        return "timeout", _whole(f"{', '.join(names) or 'the tests'} did not finish within {seconds:g} seconds")
    if stopped == "output":
        return "output", _whole(f"the tests print more than they should{during}; they were stopped")
    if re.search(r"out of memory|cannot allocate memory|failed to (?:reserve|allocate)", stderr):
        return "memory", _whole(f"the tests ran out of memory{during}")
    if "runtime: failed to create new OS thread" in stderr:
        return "processes", _whole(f"the tests start more processes or threads than they may{during}")
    if code in (128 + 24, -24) or _TOO_LONG.search(stderr):  # Go's runtime says so itself
        return "timeout", _whole(f"the tests used more than {processor} seconds of processor time{during}")
    if code in (128 + 9, -9):  # told from behind the walls or directly
        said = f"the tests used more than {processor} seconds of processor time or too much memory{during}"
        return "memory", _whole(said)
    if raced := _RACE.search(stderr):
        return "wrong", _data_race(raced, during)
    crash = _CRASH.search(stderr)
    if crash is None:
        return None
    message = re.sub(r"\s*\[recovered(?:, repanicked)?\]", "", crash[2]).strip()
    message = "; ".join(line.strip() for line in message.splitlines() if line.strip())
    kind = "panic" if crash[1] == "panic" else "fatal error"
    line, place = 0, ""
    frames = _FRAME.findall(stderr, crash.end())
    if frames:
        file, number = frames[0]
        in_test = next((int(at) for name, at in frames if name != "code"), 0)
        line = in_test
        place = f" (code line {number})" if file == "code" else ""
    return "panic", Diagnostic("test", line, 0, f"{kind}: {message}{place}{during}")


def _data_race(raced: re.Match[str], during: str) -> Diagnostic:
    """What the race detector says first: the two accesses, each at the innermost place in the sample."""
    lines = []
    words = []
    for kind, frames in ((raced[1].lower(), raced[2]), (raced[3], raced[4])):
        place = _RACE_FRAME.search(frames)
        if place is None:
            words.append(f"a {kind} outside the sample")
            continue
        text = "code" if place[1] == "code" else "test"
        lines += [int(place[2])] if text == "test" else []
        words.append(f"a {kind} at {text} line {place[2]}")
    return Diagnostic("test", lines[0] if lines else 0, 0, f"data race: {words[0]} after {words[1]}{during}")


def _failures(report: Report, *, crashed: bool = False) -> tuple[Diagnostic, ...]:
    marked = any(report.errors)
    found = []
    explained = set()
    for (test, file, line, text), is_error in zip(report.messages, report.errors, strict=True):
        if (
            test not in report.failed or (marked and not is_error) or file == "testing.go"
        ):  # the framework's word on a race
            continue
        explained.add(test)
        own = file.endswith(("code_test.go", "codetest.go"))
        place = "" if own else f" ({file.removesuffix('.go')} line {line})"
        found.append(Diagnostic("test", line if own else 0, 0, f"{test}: {text}{place}"))
    for test in report.failed if not crashed else ():
        if test in explained or any(other.startswith(f"{test}/") for other in report.failed):
            continue
        tail = " ".join(report.tails.get(test, "").split()) if test.startswith("Example") else ""
        found.append(_whole(f"{test} failed" + (f": {tail[:300]}" if tail else "")))
    return tuple(found[:_MAX_DIAGNOSTICS])


def _messages(text: str) -> list[tuple[tuple[str, int, str], bool]]:
    """The t.Log and t.Error lines of a piece of output, the lines that continue them joined."""
    found: list[tuple[tuple[str, int, str], bool]] = []
    inside = False
    for line in text.splitlines():
        is_error = "\x0f" in line
        plain = line.replace("\x0f", "").replace("\x0e", "")
        if plain.startswith("    ") and (message := _MESSAGE.fullmatch(plain)):
            found.append(((message[1], int(message[2]), message[3][:500]), is_error))
            inside = True
        elif inside and plain.startswith("        ") and found:
            (file, number, said), marked = found[-1]
            found[-1] = ((file, number, f"{said}\n{plain[8:]}"[:500]), marked)
        else:
            inside = False
    return found


def _whole(message: str) -> Diagnostic:
    return Diagnostic("test", 0, 0, message)
