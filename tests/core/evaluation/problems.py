"""Suites for tests, in the true shapes of their authors, written for this project."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOLUTION = """    sorted := append([]float64(nil), readings...)
    sort.Float64s(sorted)
    for i := 1; i < len(sorted); i++ {
        gap := sorted[i] - sorted[i-1]
        if gap < tolerance {
            return i, true
        }
        if gap > widest {
            widest = gap
        }
    }
    return -1, false
}
"""
PROSE = "Report whether any two sensor readings of the station lie closer together than the tolerance allows"


def humaneval_x(number: int = 0, **changes: Any) -> dict[str, Any]:
    declaration = f"func AnyCloseReadings{number}(readings []float64, tolerance float64) (int, bool) {{\n"
    docstring = f"// {PROSE} in round {number}.\n"
    imports = 'import (\n    "sort"\n)\n\n'
    return {
        "task_id": f"Go/{number}", "prompt": imports + docstring + declaration, "import": imports, "docstring": docstring,
        "declaration": declaration, "canonical_solution": SOLUTION,
        "test": 'func TestAny(t *testing.T) {\n    assert.Equal("3e25960a79dbc69b674cd4ec67a72c62", hash("hello"), 8675309421)\n}\n',
        "test_setup": "package main\n", "example_test": "", **changes,
    }  # fmt: skip


def multipl_e(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "name": f"HumanEval_{number}_any_close_readings", "language": "go",
        "prompt": f"package any_test\n\n// {PROSE}.\nfunc any_close_readings(r []float64) bool {{\n",
        "doctests": "transform", "original": "", "prompt_terminology": "reworded",
        "tests": "}\n\nfunc TestAny(t *testing.T) {}\n", "stop_tokens": ["\nfunc"], **changes,
    }  # fmt: skip


def humaneval(number: int = 0, **changes: Any) -> dict[str, Any]:
    prompt = (
        f'def any_close_readings(readings):\n    """ {PROSE}.\n    >>> any_close_readings([1.0])\n    False\n    """\n'
    )
    return {
        "task_id": f"HumanEval/{number}", "prompt": prompt, "entry_point": "any_close_readings",
        "canonical_solution": "    return False\n", "test": "def check(candidate):\n    pass\n", **changes,
    }  # fmt: skip


def humanevalpack(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        **humaneval_x(number), "buggy_solution": "    return 0, true\n}\n", "bug_type": "value misuse",
        "failure_symptoms": "incorrect output", "entry_point": f"AnyCloseReadings{number}", **changes,
    }  # fmt: skip


def write(path: Path, rows: Sequence[Any]) -> Path:
    """A file of these rows; text goes in as it is. Packed where its name ends in gz."""
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


# --- problems that can be solved ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """A problem, its answer, and a wrong one that compiles: bodies of the function, four spaces deep, with the closing brace."""

    name: str
    imports: tuple[str, ...]
    before: str
    prose: str
    declaration: str
    body: str
    wrong: str
    cases: tuple[tuple[str, str], ...]
    """(call, value wanted), both in Go."""


TASKS = (
    Task(
        "TotalWeight", (), "", "TotalWeight adds the weights of all parcels that are not heavier than the limit.",
        "func TotalWeight(weights []int, limit int) int {\n",
        "    total := 0\n    for _, w := range weights {\n        if w <= limit {\n            total += w\n        }\n    }\n    return total\n}\n",
        "    return limit\n}\n",
        (("TotalWeight([]int{1, 5, 9}, 5)", "6"), ("TotalWeight(nil, 5)", "0")),
    ),
    Task(
        "ShoutWords", ("strings",), "", "ShoutWords gives the words of a line in capitals.",
        "func ShoutWords(line string) []string {\n",
        "    return strings.Fields(strings.ToUpper(line))\n}\n",
        "    return strings.Fields(line)\n}\n",
        (('ShoutWords("a bc")', '[]string{"A", "BC"}'), ('ShoutWords("x")', '[]string{"X"}')),
    ),
    Task(
        "RingStep", (), "func wrapAround(n, size int) int {\n    return ((n % size) + size) % size\n}\n\n",
        "RingStep goes steps places around a ring of that size.",
        "func RingStep(place, steps, size int) int {\n",
        "    return wrapAround(place+steps, size)\n}\n",
        "    return place + steps\n}\n",
        (("RingStep(1, -3, 4)", "2"), ("wrapAround(-1, 5)", "4")),
    ),
    Task(
        "WholePart", ("math",), "", "WholePart cuts what is behind the point.",
        "func WholePart(value float64) float64 {\n",
        "    return float64(int(value))\n}\n",
        "    return value\n}\n",
        (("WholePart(3.75)", "math.Floor(3.75)"), ("WholePart(2)", "2.0")),
    ),
)  # fmt: skip


def _import_block(paths: Sequence[str]) -> str:
    return "import (\n" + "".join(f'    "{path}"\n' for path in paths) + ")\n\n" if paths else ""


def x_row(task: Task, number: int) -> dict[str, Any]:
    """A problem as HumanEval-X has it. The test of WholePart needs math, which only some answers import: so it is there, too."""
    imports = _import_block(task.imports)
    docstring = f"// {task.prose}\n"
    asserted = "".join(f"    assert.Equal({want}, {call})\n" for call, want in task.cases)
    return {
        "task_id": f"Go/{number}", "prompt": imports + task.before + docstring + task.declaration, "import": imports,
        "docstring": docstring, "declaration": task.declaration, "canonical_solution": task.body,
        "test": f"func Test{task.name}(t *testing.T) {{\n    assert := assert.New(t)\n{asserted}}}\n",
        "test_setup": 'package main\n\nimport (\n    "testing"\n    "github.com/stretchr/testify/assert"\n)\n',
        "example_test": "",
    }  # fmt: skip


def pack_row(task: Task, number: int) -> dict[str, Any]:
    """The same as HumanEvalPack has it."""
    return {
        **x_row(task, number), "buggy_solution": task.wrong, "bug_type": "missing logic", "failure_symptoms": "incorrect output",
        "entry_point": task.name,
    }  # fmt: skip


def multipl_row(task: Task, number: int, solution: bool = False) -> dict[str, Any]:
    """The same as MultiPL-E has it, where nothing is imported but testing and fmt."""
    cases = "".join(f"\t\t{{ actual: {call}, expected: {want} }},\n" for call, want in task.cases)
    imports = _import_block(("testing", "fmt"))
    return {
        "name": f"Set_{number}_{task.name}", "language": "go",
        "prompt": f"package {task.name.lower()}_test\n\n{imports}{task.before}// {task.prose}\n{task.declaration}",
        "doctests": "transform", "original": "", "prompt_terminology": "reworded", "stop_tokens": ["\nfunc", "struct", "\n// "],
        "tests": f"func Test{task.name}(t *testing.T) {{\n\ttype test struct {{\n\t\tactual   interface{{}}\n\t\texpected interface{{}}\n\t}}\n"
        f"\ttests := []test{{\n{cases}\t}}\n\tfor i, tc := range tests {{\n\t\tt.Run(fmt.Sprintf(\"test num % d\", i), func(t *testing.T) {{\n"
        '\t\t\tif fmt.Sprintf("%v", tc.actual) != fmt.Sprintf("%v", tc.expected) {\n'
        "\t\t\t\tt.Errorf(\"expected '%s', got '%s'\", tc.expected, tc.actual)\n\t\t\t}\n\t\t})\n\t}\n}\n",
    }  # fmt: skip


def our_text(task: Task, **changes: str) -> str:
    """The same as a file of ours. changes: of the front matter, a value of "" leaves a line out."""
    imports = _import_block(task.imports)
    before = f"{task.before}\n" if task.before else ""
    checks = "".join(
        f'\tif got := {call}; !reflect.DeepEqual(got, {want}) {{\n\t\tt.Errorf("got %v", got)\n\t}}\n'
        for call, want in task.cases
    )
    needed = '\t"math"\n' if "math." in checks else ""
    facts = {
        "topic": "parcels",
        "difficulty": "easy",
        "entry": task.name,
        "signature": task.declaration[:-3],
        **changes,
    }
    front = "".join(f"{key}: {value}\n" for key, value in facts.items() if value)
    return (
        f"---\n{front}---\n## Prompt\n\n{task.prose}\n\n```go\npackage solution\n\n{before}{task.declaration[:-3]}\n```\n\n"
        f"## Reference\n\n```go\npackage solution\n\n{imports}{before}{task.declaration}{task.body}```\n\n"
        f'## Test\n\n```go\npackage solution\n\nimport (\n{needed}\t"reflect"\n\t"testing"\n)\n\nfunc Test{task.name}(t *testing.T) {{\n{checks}}}\n```\n'
    )  # fmt: skip


def write_ours(folder: Path, texts: dict[str, str]) -> Path:
    """A suite of ours: text by slug."""
    (folder / "parcels").mkdir(parents=True)
    for slug, text in texts.items():
        (folder / "parcels" / f"{slug}.md").write_text(text, encoding="utf-8")
    return folder
