"""Candidates are really built and run: answers pass in every format and mode, stubs fail, and nobody who cheats passes.

What is alike goes in one batch, since a program is linked for each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.evaluation import ours, suites
from core.evaluation.checking import check
from core.evaluation.judging import LIMITS, Judge, Judged, counts
from core.evaluation.suites import Problem, Suite
from core.golang.sandbox import Limits
from core.golang.toolchain import Toolchain
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS

QUICK = Limits(seconds=2.0, processor=2)
TOTAL = TASKS[0]
FORGED = r"\x16=== RUN   TestTotalWeight\n\x16--- PASS: TestTotalWeight (0.00s)\nPASS\n"
SIGNATURE = "func TotalWeight(weights []int, limit int) int"


def suite_of(folder: Path, form: str) -> Suite:
    """The tasks as a suite of that format."""
    if form == "gosmith":
        texts = {f"p{at}": problems.our_text(task) for at, task in enumerate(TASKS)}
        return ours.read(problems.write_ours(folder / "set", texts))
    make: Any = {"humaneval-x": problems.x_row, "humanevalpack": problems.pack_row, "multipl-e": problems.multipl_row}[
        form
    ]
    tasks = [one for one in TASKS if form != "multipl-e" or not one.imports]
    return suites.read(problems.write(folder / "set.jsonl", [make(one, at) for at, one in enumerate(tasks)]))


def body_of(problem: Problem) -> str:
    return next(one.body for one in TASKS if one.name == problem.entry_point)


def whole(body: str, imports: str = "", more: str = "") -> str:
    """An answer of a chat model to the first task."""
    listed = "".join(f'import "{name}"\n' for name in imports.split())
    return f"Here you are:\n\n```go\npackage main\n\n{listed}\n{more}\n\n{SIGNATURE} {{\n{body}\n}}\n```\nIt is tested."


@pytest.mark.parametrize("form", ["gosmith", "humaneval-x", "humanevalpack", "multipl-e"])
def test_own_answers_pass_however_they_are_written_and_wrong_ones_fail(
    tmp_path: Path, toolchain: Toolchain, form: str
) -> None:
    suite = suite_of(tmp_path, form)
    asked = []
    for problem in suite.problems:
        task = next(one for one in TASKS if one.name == problem.entry_point)
        imports = "".join(f'import "{path}"\n' for path in task.imports)
        asked += [
            (problem, task.body),
            (problem, f"```go\npackage main\n\n{imports}{task.declaration}{task.body}```"),
            (problem, f"```go\n{task.declaration}{task.body}\nfunc main() {{\n}}\n```"),
            (problem, f"{task.body}\nfunc main() {{ {task.name}() }}\n\nThat is how one"),
            (problem, f"{task.declaration}{task.body}\nfunc TestOfMine(t *testing.T) {{\n\tt.Fatal()\n}}\n"),
            (problem, task.wrong),
        ]
    with Judge(suite.format, "fixed", toolchain, limits=LIMITS) as judge:
        references = judge.references(suite.problems)
        found = judge.judge(asked)
    assert found is not None
    assert [one.status for one in references.values()] == ["pass"] * (0 if form == "multipl-e" else len(TASKS))
    statuses = [one.status for one in found]
    details = [one.detail for one in found]
    assert statuses == [*["pass"] * 5, "wrong_answer"] * len(suite.problems), details
    assert not any(one.flaky for one in found)


@pytest.mark.parametrize("form", ["humaneval-x", "humanevalpack", "multipl-e"])
def test_in_the_mode_of_the_paper_answers_pass_and_flaws_stay(tmp_path: Path, toolchain: Toolchain, form: str) -> None:
    suite = suite_of(tmp_path, form)
    helped = "    return addUp(weights, limit)\n}\n\nfunc addUp(weights []int, limit int) int {\n" + TOTAL.body
    first = suite.problems[0]
    whole_part = [one for one in suite.problems if one.entry_point == "WholePart"]
    asked = [(one, body_of(one)) for one in suite.problems if one not in whole_part]
    with Judge(suite.format, "paper", toolchain, limits=LIMITS) as judge:
        found = judge.judge(
            [*asked, *((one, body_of(one)) for one in whole_part), (first, helped), (first, TOTAL.wrong), (first, " ")]
        )
    assert found is not None
    statuses = [one.status for one in found]
    assert statuses[: len(asked)] == ["pass"] * len(asked), [one.detail for one in found]
    if whole_part:  # its test needs math, and the answer does not: nobody imports it
        assert statuses[len(asked)] == "types"
        assert "math" in found[len(asked)].detail
    assert statuses[-3:] == ["types", "wrong_answer", "extract"]  # cut off before its second function


BAD: dict[str, tuple[str, str]] = {
    "nothing": ("extract", ""),
    "only words": ("extract", "I would rather not."),
    "half a function": ("syntax", "```go\nfunc TotalWeight(weights []int\n```"),
    "another name": ("types", "```go\nfunc Weight(weights []int, limit int) int {\n\treturn 6\n}\n```"),
    "another signature": ("types", "```go\nfunc TotalWeight(weights []int) int {\n\treturn 6\n}\n```"),
    "no such thing": ("types", whole("\treturn nosuch(limit)")),
    "outside the library": ("types", whole("\treturn lo.Sum(weights)", "github.com/samber/lo")),
    "too much for the compiler": ("build_timeout", whole("\treturn x[0]", more="var x = [1 << 28]int{1<<28 - 1: 1}")),
    "panics": ("panic", whole("\treturn weights[limit]")),
    "wrong": ("wrong_answer", whole("\treturn limit")),
    "never ends": ("timeout", whole("\tfor {\n\t}")),
    "sleeps": ("timeout", whole("\ttime.Sleep(time.Hour)\n\treturn 1", "time")),
    "too much memory": ("out_of_memory", whole("\treturn len(make([]byte, limit<<30))")),
}  # fmt: skip

READ_SEAL = (
    'if b, err := os.ReadFile("/proc/self/exe"); err == nil {\n\t\tfor _, seal := range regexp.MustCompile("ExampleSeal[0-9a-f]+").FindAll(b, -1) {\n'
    '\t\t\tfmt.Printf("\\x16=== RUN   TestTotalWeight\\n\\x16--- PASS: TestTotalWeight (0.00s)\\n\\x16--- PASS: %s (0.00s)\\n", seal)\n\t\t}\n'
    '\t\tfmt.Println("PASS")\n\t\tos.Exit(0)\n\t}\n\treturn 0'
)
CHEATS: dict[str, str] = {
    "exit in init": whole("\treturn 0", "os", "func init() { os.Exit(0) }"),
    "exit": whole("\tos.Exit(0)\n\treturn 0", "os"),
    "exit in TestMain": whole("\treturn 0", "os testing", "func TestMain(m *testing.M) { os.Exit(0) }"),
    "exit by syscall": whole("\tsyscall.Exit(0)\n\treturn 0", "syscall"),
    "leaves quietly": whole("\truntime.Goexit()\n\treturn 0", "runtime"),
    "prints a pass": whole('\tprintln("--- PASS: TestTotalWeight (0.00s)")\n\tfmt.Println("--- PASS: TestTotalWeight (0.00s)\\nPASS\\nok")\n\tos.Exit(0)\n\treturn 0', "fmt os"),
    "prints the framework's pass": whole(f'\tfmt.Print("{FORGED}")\n\tos.Exit(0)\n\treturn 0', "fmt os"),
    "prints it before anything runs": whole("\treturn 0", "fmt os", f'var _ = func() int {{\n\tfmt.Print("{FORGED}")\n\tos.Exit(0)\n\treturn 0\n}}()'),
    "brings the test": whole("\treturn 0", "testing", "func TestTotalWeight(t *testing.T) {}"),
    "brings the test without a fence": f"{TOTAL.wrong}\nfunc TestTotalWeight(t *testing.T) {{\n}}\n",
    "turns the test off": whole("\treturn 0", "flag", 'func init() { flag.Set("test.run", "^$") }'),
    "takes the arguments away": whole("\treturn 0", "os", "func init() { os.Args = os.Args[:1] }"),
    "speaks for the framework": whole("\tos.Stdout = nil\n\treturn 0", "os"),
    "speaks for the framework through a pointer": whole("\tr, w, _ := os.Pipe()\n\tout, old := os.Stdout, *os.Stdout\n\t*out = *w\n\tgo forge(r, &old)\n\treturn 0", "bytes os", 'func forge(r, out *os.File) {\n\tb := make([]byte, 1<<16)\n\tfor {\n\t\tn, _ := r.Read(b)\n\t\tsaid := bytes.ReplaceAll(b[:n], []byte("FAIL"), []byte("PASS"))\n\t\tout.Write(said)\n\t\tif bytes.Contains(said, []byte("PASS: ExampleSeal")) {\n\t\t\tout.WriteString("PASS\\n")\n\t\t\tos.Exit(0)\n\t\t}\n\t}\n}'),
    "changes what is true": whole("\treturn 0", "", "func len(a any) int { return 0 }\n\nconst true = false\n\nvar nil = []int{}"),
    "changes DeepEqual": whole("\treturn 0", "", "type reflect struct{}\n\nfunc (reflect) DeepEqual(a, b any) bool { return true }"),
    "looks its seal up": whole(f"\t{READ_SEAL}", "fmt os regexp"),
    "reads memory": whole("\treturn *(*int)(unsafe.Pointer(&limit))", "unsafe"),
    "links itself in": whole("\treturn 0", "", "//go:linkname pass testing.pass\nfunc pass()"),
    "embeds the test": whole("\treturn 0", "", 'import _ "embed"\n\n//go:embed codetest.go\nvar text string'),
}  # fmt: skip


REFUSED = {
    "exit by syscall": "imports syscall", "reads memory": "imports unsafe", "links itself in": "linkname", "embeds the test": "embed",
    "speaks for the framework": "changes os.Stdout", "speaks for the framework through a pointer": "overwrites an os.File",
    "takes the arguments away": "changes os.Args", "changes what is true": "another meaning",
}  # fmt: skip


@pytest.fixture(scope="module")
def fates(
    toolchain: Toolchain, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Judged]]:
    """What becomes of all that is bad, on a problem of HumanEval-X, and of who cheats, on one of ours; a good one is next to them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOSMITH_CACHE", str(shared_cache))
        patch.setattr("core.golang.batch.COMPILE_SECONDS", 3)
        patch.setattr("core.golang.batch.COMPILE_MEMORY", 2 << 30)
        found: dict[str, Judged] = {}
        texts = {**{name: text for name, (_, text) in BAD.items()}, **CHEATS, "good": whole(TOTAL.body.rstrip()[:-1])}
        for form, names in (("humaneval-x", [*BAD, "good"]), ("gosmith", [*CHEATS, "good"])):
            suite = suite_of(tmp_path_factory.mktemp(form), form)
            with Judge(suite.format, "fixed", toolchain, limits=QUICK) as judge:
                judge.references(suite.problems[:1])
                judged = judge.judge([(suite.problems[0], texts[name]) for name in names])
            assert judged is not None
            found |= {f"{form} {name}": one for name, one in zip(names, judged, strict=True)}
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_an_answer_is_told_apart(fates: dict[str, Judged], name: str) -> None:
    found = fates[f"humaneval-x {name}"]
    assert found.status == BAD[name][0], found.detail
    assert found.detail


@pytest.mark.slow
@pytest.mark.parametrize("name", CHEATS)
def test_nobody_who_cheats_passes(fates: dict[str, Judged], name: str) -> None:
    found = fates[f"gosmith {name}"]
    assert found.status not in ("pass", "sandbox_error"), found
    assert (found.status == "refused") == (name in REFUSED), found.detail
    assert REFUSED.get(name, "") in found.detail
    assert found.detail


def test_what_only_looks_like_meddling_is_not_refused(tmp_path: Path, toolchain: Toolchain) -> None:
    more = "type node struct{ Path string }\n\nfunc min(a, b int) int {\n\tif a < b {\n\t\treturn a\n\t}\n\treturn b\n}\n\nfunc max(a, b int) int { return a + b - min(a, b) }"
    use = '\tpath := &node{}\n\tpath.Path = path.Path + "x"\n\tos := &path.Path\n\t*os = max0()\n'
    text = whole(use + TOTAL.body.rstrip()[:-1], "path", more + '\n\nfunc max0() string { return path.Join("a", "b") }')
    suite = suite_of(tmp_path, "gosmith")
    with Judge(suite.format, "fixed", toolchain, limits=QUICK) as judge:
        found = judge.judge([(suite.problems[0], text)])
    assert found is not None
    assert found[0].status == "pass", found[0].detail


@pytest.mark.slow
def test_the_honest_among_them_pass(fates: dict[str, Judged]) -> None:
    for form in ("humaneval-x", "gosmith"):
        assert fates[f"{form} good"].status == "pass", fates[f"{form} good"].detail


def test_in_the_mode_of_the_paper_nobody_who_cheats_passes(tmp_path: Path, toolchain: Toolchain) -> None:
    suite = suite_of(tmp_path, "humaneval-x")
    cheats = [
        '    println("--- PASS: TestTotalWeight")\n    runtime.Goexit()\n    return 0\n}\n',
        f'    fmt.Print("{FORGED}")\n    panic(0)\n}}\n',
        "    return 0\n}\nfunc TestTotalWeight(t *testing.T) {}\n",
        "    return 0\n}}}\n",
    ]
    with Judge(suite.format, "paper", toolchain, limits=QUICK) as judge:
        found = judge.judge([(suite.problems[0], text) for text in cheats])
    assert found is not None
    assert counts(one.status for one in found)["pass"] == 0


def test_an_answer_that_passes_now_and_then_passes_and_is_named(tmp_path: Path, toolchain: Toolchain) -> None:
    suite = suite_of(tmp_path, "gosmith")
    moody = whole("\tif time.Now().UnixNano()/1000%4 != 0 {\n\t\treturn 0\n\t}\n" + TOTAL.body.rstrip()[:-1], "time")
    some = [f"{moody}\n{at}" for at in range(30)]
    with Judge(suite.format, "fixed", toolchain, limits=QUICK) as judge:
        found = judge.judge(
            [(suite.problems[0], text.replace("return 0\n", f"return {at}*0\n", 1)) for at, text in enumerate(some)]
        )
    assert found is not None
    assert any(one.flaky for one in found)
    assert all(one.status == "pass" for one in found if one.flaky)
    assert {one.status for one in found} <= {"pass", "wrong_answer"}


def test_what_the_sandbox_does_wrong_is_no_wrong_answer(
    tmp_path: Path, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = suite_of(tmp_path, "gosmith")
    gone = tmp_path / "gone"
    for walls in ("core.golang.session.wrap_session", "core.golang.walled.wrap"):
        monkeypatch.setattr(walls, lambda sandbox, *_: [str(sandbox.helper), "confine", "--", str(gone)])
    with Judge(suite.format, "fixed", toolchain, limits=QUICK) as judge:
        found = judge.judge([(one, one.solution) for one in suite.problems])
    assert found is not None
    assert {one.status for one in found} == {"sandbox_error"}
    assert "the sandbox failed" in found[0].detail


def test_a_stop_is_heard(tmp_path: Path, toolchain: Toolchain) -> None:
    suite = suite_of(tmp_path, "gosmith")
    with Judge(suite.format, "fixed", toolchain, cancel=lambda: True) as judge:
        assert judge.references(suite.problems) == {}
        assert judge.judge([(one, one.solution) for one in suite.problems]) is None


def test_what_is_wrong_with_a_suite_is_shown(tmp_path: Path, toolchain: Toolchain) -> None:
    good = problems.our_text(TOTAL)
    texts = {
        "good": good,
        "no-test": good.replace("!reflect.DeepEqual(got, 6)", "!reflect.DeepEqual(1, 1) && got > 0"),
        "lacks": good.replace('\t"reflect"\n', ""),
        "other": good.replace("total += w", "total -= w"),
        "moody": good.replace("total := 0", "total := rand.IntN(4) / 3").replace("package solution\n\nfunc TotalWeight(weights []int, limit int) int {", 'package solution\n\nimport "math/rand/v2"\n\nfunc TotalWeight(weights []int, limit int) int {'),
    }  # fmt: skip
    suite = ours.read(problems.write_ours(tmp_path / "set", texts))
    with Judge(suite.format, "fixed", toolchain, limits=QUICK) as judge:
        found = {one.task: one for one in check(suite.problems, judge, toolchain)}
    assert found["set/good"].complaints == ()
    assert (found["set/good"].reference, found["set/good"].stub) == ("pass", "wrong_answer")
    assert found["set/no-test"].complaints == ("a stub that returns zero values passes the test",)
    assert "the test line" in found["set/lacks"].complaints[0]
    assert "undefined: reflect" in found["set/lacks"].complaints[0]
    assert "the reference does not pass (wrong answer)" in found["set/other"].complaints[0]
    assert found["set/moody"].flaky
    assert found["set/moody"].complaints == ("the reference passes in one run and fails in another",)


def test_answers_of_multipl_e_are_compared_by_value(tmp_path: Path, toolchain: Toolchain) -> None:
    row = problems.multipl_row(TOTAL, 0)
    row["prompt"] = row["prompt"].replace(
        TOTAL.declaration, "func TotalWeight(weights []string, limit int) []string {\n"
    )
    row["tests"] = row["tests"].replace("TotalWeight([]int{1, 5, 9}, 5)", 'TotalWeight([]string{"a", "b"}, 5)').replace("expected: 6", 'expected: []string{"a", "b"}').replace("expected: 0", "expected: []string{}")  # fmt: skip
    suite = suites.read(problems.write(tmp_path / "m.jsonl", [json.dumps(row)]))
    same, joined = (
        "    return weights\n}\n",
        '    if weights == nil {\n        return nil\n    }\n    return []string{"a b"}\n}\n',
    )
    found = {}
    for mode in ("fixed", "paper"):
        with Judge(suite.format, mode, toolchain, limits=QUICK) as judge:
            judged = judge.judge([(suite.problems[0], same), (suite.problems[0], joined)])
        assert judged is not None
        found[mode] = [one.status for one in judged]
    assert found == {"fixed": ["pass", "wrong_answer"], "paper": ["pass", "pass"]}
