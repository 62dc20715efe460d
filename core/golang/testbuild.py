"""Build the samples' tests: most of a batch linked into one program, or each into its own.

Linking costs more than compiling, so samples share a program where none should notice: see alone.go in the helper for who
may not. The program picks a sample by the name it is started under, and runs its tests under their own names.

Every sample's tests end with a seal of their own: an example of ours that runs after all others and whose name nobody can guess. A
sample that prints what the framework would print, and leaves, has not reported it.
"""

from __future__ import annotations

import collections
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import UserError
from core.golang.batch import (
    MODULE,
    SUFFIX,
    Arranged,
    Complaint,
    complaints,
    go,
    in_characters,
    lay,
    lay_shared,
    too_costly,
)
from core.golang.checker import Diagnostic
from core.golang.commands import Cancel, Finished
from core.golang.sandbox import scratch
from core.golang.testreport import Verdict
from core.golang.toolchain import Toolchain

CONTROL = Arranged(-1, "control", "", "", (0, 0), ("TestControl",), (), "", "", None)
"""What every shared program holds besides: a test that passes, unless a sample spoils the program for all."""
_SECONDS = 300.0
_RUN_ONLY = 0o111  # a program that may not be read cannot look its seal up in itself
_SHARING = 16  # samples in one package: starting the compiler costs as much as ten of them
_FEWEST = 3  # below that, linking together saves nothing
_LINK = "-ldflags=-s -w -X testing.testBinary=1"
_RACE_LINK = f"{_LINK} -linkmode external -extldflags -static"  # behind the walls there is no C library to load
# Neither debug information nor inlined calls: a sixth less to compile. Whatever fails so is built alone, as usual, before it is believed.
_QUICK = (f"-gcflags={MODULE}/...=-dwarf=false -l",)


class TestBuild:
    """Builds the tests of one batch into PROGRAMS/<sample's folder>.test."""

    __test__ = False  # for pytest: this is no test of ours

    def __init__(
        self, toolchain: Toolchain, folder: Path, programs: Path, cancel: Cancel | None, *, race: bool = False
    ) -> None:
        """folder: where to work. race: with the race detector, which needs a C compiler; see `check_race`."""
        self._toolchain = toolchain
        self._race = race
        self._link = _RACE_LINK if race else _LINK
        self._folder = folder
        self._programs = programs
        self._cancel = cancel
        self._verdicts: dict[str, Verdict] = {}
        self.seals: dict[str, str] = collections.defaultdict(lambda: f"ExampleSeal{secrets.token_hex(12)}")

    def together(self, samples: Sequence[Arranged]) -> list[Arranged] | None:
        """Link those that can be linked, and compile, into one program. Returns them; None when cancelled.

        What does not compile here is not judged here.
        """
        samples = [sample for sample in samples if not sample.alone]
        module = self._folder / "together"
        (module / "all").mkdir(parents=True)
        groups = _grouped([sample for sample in samples if sample.shared])
        single = [sample for sample in samples if not sample.shared]
        lay(module, single, self._toolchain, test="codetest.go")
        for name, some in groups.items():
            lay_shared(module, name, some)
        program = self._folder / "all"
        for _ in range(4):  # each time without those that did not compile
            if len(samples) < _FEWEST:
                return []
            (module / "all" / "main.go").write_text(_program(groups, single, self.seals), encoding="utf-8")
            done = self._go(["build", self._link, *_QUICK, "-o", str(program), "./all"], module)
            if done.stopped == "cancelled":
                return None
            if done.code == 0 and not done.stopped:
                program.chmod(_RUN_ONLY)
                for sample in (*samples, CONTROL):
                    os.link(program, self._programs / f"{sample.folder}.test")
                return samples
            broken = complaints(done.stderr)
            if done.stopped or not broken:
                return []
            for name in list(groups):
                for sample in (one for one in groups[name] if name in broken or one.folder in broken):
                    for file in (module / name).glob(f"{sample.folder}*"):
                        file.unlink()
                kept = [one for one in groups.pop(name) if name not in broken and one.folder not in broken]
                groups |= {name: kept} if kept else {}
            single = [sample for sample in single if sample.folder not in broken]
            samples = [*single, *(sample for some in groups.values() for sample in some)]
        return []

    def alone(self, samples: Sequence[Arranged]) -> dict[str, Verdict] | None:
        """Build a test binary for each. Returns verdicts on those that do not build, by folder; None when cancelled."""
        module = self._folder / "alone"
        module.mkdir()
        lay(module, samples, self._toolchain)
        for sample in samples:  # the last file by name, hence the last example
            seal = f"package {sample.package}\n\nfunc {self.seals[sample.folder]}() {{\n\t// Output:\n}}\n"
            (module / sample.folder / "seal_test.go").write_text(seal, encoding="utf-8")
        return self._verdicts if not samples or self._each(samples, module) else None

    def _each(self, samples: Sequence[Arranged], module: Path) -> bool:
        """Build a test binary for each. False when cancelled."""
        command = ["test", "-c", "-vet=off", self._link, "-o", f"{self._programs}/"]
        done = self._go([*command, *(f"./{sample.folder}" for sample in samples)], module)
        if done.stopped == "cancelled":
            return False
        if done.stopped and len(samples) > 1:
            middle = len(samples) // 2
            return all(self._each(part, module) for part in (samples[:middle], samples[middle:]))
        said = complaints(done.stderr)
        for sample in samples:
            if (binary := self._programs / f"{sample.folder}.test").is_file():
                binary.chmod(_RUN_ONLY)
            if done.stopped:
                self._verdicts[sample.folder] = Verdict("fail", (_whole("takes too long to build"),), "build")
            elif self._note(sample, said.get(sample.folder, [])):
                continue
            elif not binary.is_file():
                reason = " ".join(done.stderr.split())[-300:] or f"go test ended with exit code {done.code}"
                self._verdicts[sample.folder] = Verdict("skipped", (_whole(f"not built: {reason}"),), "sandbox")
        return True

    def _note(self, sample: Arranged, about: Sequence[Complaint]) -> bool:
        """Turn what the compiler says about a sample into its verdict; False when it says nothing."""
        if any(too_costly(one) for one in about):
            said = _whole("takes too much time or memory to build")
            self._verdicts[sample.folder] = Verdict("fail", (said,), "build")
        elif about:
            self._verdicts[sample.folder] = uncompiled(sample, about)
        return bool(about)

    def _go(self, arguments: Sequence[str], module: Path) -> Finished:
        if self._race:
            arguments = [arguments[0], "-race", *arguments[1:]]
        return go(self._toolchain, arguments, module, seconds=_SECONDS, cancel=self._cancel, cgo=self._race)


def check_race(toolchain: Toolchain) -> None:
    """Raises UserError where the race detector cannot be built: no C compiler with a static library, or no such detector for this machine."""
    with scratch(toolchain) as name:
        folder = Path(name)
        (folder / "go.mod").write_text(f"module {MODULE}\n")
        (folder / "main.go").write_text("package main\n\nfunc main() {}\n")
        command = ["build", "-race", _RACE_LINK, "-o", "probe", "."]
        done = go(toolchain, command, folder, seconds=_SECONDS, cancel=None, cgo=True)
    if done.code != 0 or done.stopped:
        reason = " ".join(done.stderr.split())[:200] or done.stopped
        raise UserError(
            f"The race detector cannot be used here: {reason}.",
            "It needs a C compiler and its static library (`apt-get install gcc libc6-dev`); or run the tests without it.",
        )


def _grouped(samples: Sequence[Arranged]) -> dict[str, list[Arranged]]:
    """Those that share a folder, by its name. A folder holds one package."""
    by_package: dict[str, list[Arranged]] = {}
    for sample in samples:
        by_package.setdefault(sample.package, []).append(sample)
    parts = [some[at : at + _SHARING] for some in by_package.values() for at in range(0, len(some), _SHARING)]
    return {f"g{number:04d}": part for number, part in enumerate(parts)}


def _program(groups: Mapping[str, Sequence[Arranged]], single: Sequence[Arranged], seals: Mapping[str, str]) -> str:
    """The program that runs the tests of the sample whose name it is started under, and the seal after them."""
    folders = [*groups, *(sample.folder for sample in single)]
    imports = "".join(f'\t{folder} "{MODULE}/{folder}"\n' for folder in folders)
    control = '[]testing.InternalTest{{"TestControl", func(*testing.T) {}}}'
    end = f'testing.InternalExample{{Name: "{seals[CONTROL.folder]}", F: func() {{}}}}'
    cases = f'\tcase "{CONTROL.folder}":\n\t\trun({control}, {end})\n'
    cases += "".join(_case(sample, seals[sample.folder], sample.folder, "") for sample in single)
    cases += "".join(
        _case(sample, seals[sample.folder], name, SUFFIX + sample.folder)
        for name, some in groups.items()
        for sample in some
    )
    return (
        'package main\n\nimport (\n\t"os"\n\t"path/filepath"\n\t"strings"\n\t"testing"\n\n'
        f"{imports})\n\n"
        "func main() {\n"
        '\tswitch strings.TrimSuffix(filepath.Base(os.Args[0]), ".test") {\n'
        f"{cases}\t}}\n\tos.Exit(3)\n}}\n\n"
        "func run(tests []testing.InternalTest, examples ...testing.InternalExample) {\n"
        "\ttesting.Main(func(string, string) (bool, error) { return true, nil }, tests, nil, examples)\n}\n"
    )


def _case(sample: Arranged, seal: str, package: str, suffix: str) -> str:
    """The branch of one sample, whose functions are in that package with that suffix."""
    tests = ", ".join(f'{{"{test}", {package}.{test}{suffix}}}' for test in sample.tests)
    examples = "".join(
        f', testing.InternalExample{{"{one.name}", {package}.{one.name}{suffix}, {json.dumps(one.output)}, {json.dumps(one.unordered)}}}'
        for one in sample.examples
    )
    end = f', testing.InternalExample{{Name: "{seal}", F: func() {{}}}}'
    return f'\tcase "{sample.folder}":\n\t\trun([]testing.InternalTest{{{tests}}}{examples}{end})\n'


def uncompiled(sample: Arranged, about: Sequence[Complaint]) -> Verdict:
    """The verdict on a sample that does not compile."""
    return Verdict("fail", tuple(_diagnostic(sample, one) for one in about[:20]), "types")


def _diagnostic(sample: Arranged, one: Complaint) -> Diagnostic:
    if one.text == "test":
        column = in_characters(sample, "test", one.line, one.column)
        return Diagnostic("test", one.line, column, f"does not compile: {one.message}")
    if one.text == "code":
        return _whole(f"the code does not compile: {one.message} (code line {one.line})")
    return _whole(f"does not build: {one.message}")


def _whole(message: str) -> Diagnostic:
    return Diagnostic("test", 0, 0, message)
