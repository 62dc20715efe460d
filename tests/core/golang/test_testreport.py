"""Judging what test binaries print: recorded output, with the framework's control characters, and hostile output."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.golang.checker import Diagnostic
from core.golang.testreport import judge, read

M = "\x16"
PASSED = f"{M}=== RUN   TestA\nno newline{M}--- PASS: TestA (0.00s)\n{M}=== NAME  \nPASS\n"
FAILED = (
    f"{M}=== RUN   TestB\n{M}=== RUN   TestB/one_two\n"
    "    code_test.go:3: just a log\n"
    "\x0f    code_test.go:4: got 1\n        want a\n        b\x0e\n"
    f"{M}--- FAIL: TestB/one_two (0.00s)\n{M}=== NAME  TestB\n\x0f    code_test.go:9: outer\x0e\n"
    f"{M}--- FAIL: TestB (0.00s)\n{M}=== NAME  \nFAIL\n"
)
PANIC = """panic: assignment to entry in nil map [recovered, repanicked]

goroutine 13 [running]:
testing.tRunner.func1.2({0x7f8180, 0x83b3b0})
\ttesting/testing.go:2125 +0x232
sample/s0000.Put(...)
\tsample/s0000/code.go:8 +0x28
sample/s0000.TestZ(0x29ea91f10fc8?)
\tsample/s0000/code_test.go:14 +0x28
"""


def verdict(
    tests: str, stdout: str = "", stderr: str = "", code: int = 0, stopped: str = ""
) -> tuple[str, list[tuple[int, str]]]:
    found = judge(tests.split(), code=code, stdout=stdout, stderr=stderr, stopped=stopped, seconds=10, processor=20)
    return found.state, [(one.line, one.message) for one in found.diagnostics]


def test_a_test_passes_when_it_says_so_by_name() -> None:
    assert verdict("TestA", PASSED) == ("pass", [])


def test_without_the_seal_at_the_end_nothing_is_believed() -> None:
    def sealed(stdout: str) -> str:
        return judge(
            ["TestA"], code=0, stdout=stdout, stderr="", stopped="", seconds=1, processor=1, seal="ExampleSeal1"
        ).state

    seal = f"{M}=== RUN   ExampleSeal1\n{M}--- PASS: ExampleSeal1 (0.00s)\n"
    assert sealed(PASSED) == "fail"
    assert sealed(PASSED.replace("PASS\n", f"{seal}PASS\n")) == "pass"
    assert sealed(seal + PASSED.replace("TestA", "TestB")) == "fail"


def test_the_exit_code_alone_proves_nothing() -> None:
    state, said = verdict("TestA")
    assert (state, said) == ("fail", [(0, "the program ended with exit code 0, but TestA never reported")])
    state, said = verdict("TestA TestB", PASSED)
    assert "TestB never reported" in said[0][1]
    state, said = verdict("TestA", PASSED.replace("PASS\n", "", 2).replace("(0.00s)\n", "(0.00s)\n"))
    assert state == "fail"


def test_what_a_passing_test_writes_to_stderr_is_its_own_affair() -> None:
    noise = "panic: not really\nfatal error: runtime: out of memory\npanic: test timed out after 10s\n"
    assert verdict("TestA", PASSED, noise) == ("pass", [])


def test_lines_that_a_sample_prints_are_not_believed() -> None:
    assert verdict("TestA", "--- PASS: TestA (0.00s)\nPASS\n")[0] == "fail"


def test_wrong_answers_come_with_their_line_and_text() -> None:
    state, said = verdict("TestB", FAILED, code=1)
    assert state == "fail"
    assert said == [(4, "TestB/one_two: got 1\nwant a\nb"), (9, "TestB: outer")]


def test_older_go_marks_no_errors_and_then_logs_count_too() -> None:
    _, said = verdict("TestB", FAILED.replace("\x0f", "").replace("\x0e", ""), code=1)
    assert (3, "TestB/one_two: just a log") in said
    assert (4, "TestB/one_two: got 1\nwant a\nb") in said


def test_a_panic_names_the_line_of_the_test_and_of_the_code() -> None:
    state, said = verdict("TestZ", f"{M}=== RUN   TestZ\n", PANIC, code=2)
    assert (state, said) == ("fail", [(14, "panic: assignment to entry in nil map (code line 8) during TestZ")])


def test_deadlocks_timeouts_and_limits_are_told_apart() -> None:
    running = f"{M}=== RUN   TestZ\n"
    deadlock = "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\n"
    assert verdict("TestZ", running, deadlock, code=2)[1] == [
        (0, "fatal error: all goroutines are asleep - deadlock! during TestZ")
    ]
    timeout = "panic: test timed out after 10s\n\trunning tests:\n\t\tTestZ (10s)\n\ngoroutine 8 [running]:\n"
    assert verdict("TestZ", running, timeout, code=2)[1] == [(0, "TestZ did not finish within 10 seconds")]
    assert verdict("TestZ", running, code=-9, stopped="time")[1] == [(0, "TestZ did not finish within 10 seconds")]
    assert "print more" in verdict("TestZ", running, code=-9, stopped="output")[1][0][1]
    assert "memory" in verdict("TestZ", running, "fatal error: runtime: out of memory\n", code=2)[1][0][1]
    assert "processor time" in verdict("TestZ", running, code=128 + 24)[1][0][1]


def test_tests_that_skip_themselves_are_skipped() -> None:
    out = f"{M}=== RUN   TestC\n    code_test.go:5: needs a database\n{M}--- SKIP: TestC (0.00s)\n{M}=== NAME  \nPASS\n"
    assert verdict("TestC", out) == ("skipped", [(0, "every test skips itself: needs a database")])
    assert verdict("TestC TestA", out.replace("PASS\n", "") + PASSED) == ("pass", [])


def test_a_failed_example_shows_what_it_got_and_wanted() -> None:
    out = f"{M}=== RUN   ExampleF\n{M}--- FAIL: ExampleF (0.00s)\ngot:\n1\nwant:\n2\n{M}=== NAME  \nFAIL\n"
    assert verdict("ExampleF", out, code=1)[1] == [(0, "ExampleF failed: got: 1 want: 2")]


pieces = st.sampled_from(
    [*"\x16\x0e\x0f\n\t :-=()TestA/", "--- PASS: ", "--- FAIL: TestX (0.00s)\n", "=== RUN   ", "    code_test.go:7: "]
)


@given(st.lists(pieces, max_size=40).map("".join), st.text())
def test_any_output_can_be_judged(stdout: str, stderr: str) -> None:
    read(stdout)
    found = judge(["TestX"], code=1, stdout=stdout, stderr=stderr, stopped="", seconds=1, processor=1)
    assert found.state == "fail"
    assert found.cause
    assert found.diagnostics
    assert all(isinstance(one, Diagnostic) and one.check == "test" for one in found.diagnostics)
