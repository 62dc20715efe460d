"""Walls around the tests of samples: code that a model wrote runs without network, files or processes of the user's.

Three levels, tried out, not guessed: our own user namespaces, bubblewrap where the system lets only that have any, resource limits
alone. The last is no protection and is used only where the user said so.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.golang.commands import Finished, run
from core.golang.helper import build
from core.golang.toolchain import Toolchain, environment, find
from core.paths import cache_dir

CONSENT = "GOSMITH_TESTS_WITHOUT_SANDBOX"
FAILED = 250
"""Exit code of the helper when the walls could not be built; no test was run."""


@dataclass(frozen=True, slots=True)
class SandboxLevel:
    """name: "bubblewrap", "namespaces", "limits" or "none"; explanation: a sentence for the user."""

    name: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What one test binary may use. seconds is wall clock; processor is seconds of each process; memory is address space
    (a Go program does not start under 1 GiB), file the largest file, space the scratch folder: all in bytes."""

    seconds: float = 10.0
    processor: int = 20
    memory: int = 2 << 30
    file: int = 32 << 20
    space: int = 64 << 20
    processes: int = 256
    output: int = 1 << 20


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A level with what is needed to use it."""

    level: SandboxLevel
    helper: Path
    toolchain: Toolchain


def level(toolchain: Toolchain | None = None) -> SandboxLevel:
    """The best level that works here; each is tried with a real program. Never raises."""
    try:
        return probe(toolchain or find()).level
    except UserError as error:
        return SandboxLevel("none", f"Tests cannot be run. {error}")


def probe(toolchain: Toolchain) -> Sandbox:
    """Like `level`, with what is needed to run something. Raises UserError when the helper cannot be built."""
    helper = build(toolchain)
    candidates = [
        SandboxLevel(
            "namespaces", "Tests run in namespaces of their own: no network, no files, no processes of yours."
        ),
    ]
    if shutil.which("bwrap") is not None:
        candidates.append(
            SandboxLevel("bubblewrap", "Tests run in bubblewrap: no network, no files, no processes of yours.")
        )
    for candidate in candidates:
        sandbox = Sandbox(candidate, helper, toolchain)
        with scratch(toolchain) as folder:
            done = run(
                wrap(sandbox, [helper, "probe"], Path(folder)),
                folder=Path(folder), environment=inner_environment(sandbox, Path(folder)), seconds=10,
            )  # fmt: skip
        if done.code == 0 and done.stdout == "inside\n":
            return sandbox
    explanation = (
        "The kernel allows no user namespaces and bubblewrap does not work: tests would run with resource limits "
        "only, free to read your files and to use the network."
    )
    return Sandbox(SandboxLevel("limits", explanation), helper, toolchain)


@dataclass(frozen=True, slots=True)
class Proof:
    """One attempt to get out, made from the inside. held: it failed, as it should. detail: what the kernel said."""

    name: str
    held: bool
    detail: str


def prove(toolchain: Toolchain) -> tuple[SandboxLevel, list[Proof]]:
    """The level in force, and what came of trying to get out of it. Raises UserError when the helper cannot be built or does not answer."""
    sandbox = probe(toolchain)
    with scratch(toolchain) as name:
        folder = Path(name)
        done = run(
            wrap(sandbox, [sandbox.helper, "walls", str(Path.home()), str(os.getppid())], folder),
            folder=folder, environment=inner_environment(sandbox, folder), seconds=20,
        )  # fmt: skip
    try:
        return sandbox.level, [Proof(**json.loads(line)) for line in done.stdout.splitlines()]
    except (ValueError, TypeError) as error:
        raise UserError(f"The sandbox could not be tried out: {done.stderr.strip()[-200:] or error}.") from error


def consented() -> bool:
    """Whether the user allowed tests to run with resource limits alone."""
    return os.environ.get(CONSENT) == "1"


def wrap(sandbox: Sandbox, argv: Sequence[str | Path], folder: Path, limits: Limits | None = None) -> list[str]:
    """The command that runs argv[0] (a static program) behind the walls, with argv[1:] as its arguments.

    folder: an empty folder of the caller's for the scratch files; it stays empty except at level "limits".
    """
    limits = limits or Limits()
    program, *arguments = (str(part) for part in argv)
    processes = ["-processes", str(limits.processes)]
    if sandbox.level.name == "limits":
        return [*_bounds(sandbox, limits), "--", program, *arguments]
    inside = f"/{Path(program).name}"
    if sandbox.level.name == "namespaces":
        return [*_namespaces(sandbox, limits, folder, (program, inside)), "--", inside, *arguments]
    confine = (str(sandbox.helper), "/confine")  # it limits processes in there: out here all of the user's would count
    shown = [(program, inside), *_furniture(sandbox), confine]
    binds = [part for host, path in shown for part in ("--ro-bind", host, path)]
    return [
        *_bounds(sandbox, limits), "--",
        shutil.which("bwrap") or "bwrap", "--unshare-all", "--die-with-parent", "--new-session",
        "--uid", "1000", "--gid", "1000", "--hostname", "sandbox",
        *binds, "--proc", "/proc", "--dev", "/dev", "--size", str(limits.space), "--tmpfs", "/tmp", "--chdir", "/tmp",
        "--remount-ro", "/", "--", "/confine", "confine", *processes, "--", inside, *arguments,
    ]  # fmt: skip


def wrap_session(sandbox: Sandbox, programs: Path, folder: Path, limits: Limits) -> list[str]:
    """The command that runs, behind walls of our own, what it is asked for on standard input: see `core.golang.session`.

    programs: a folder of static programs. folder: as in `wrap`. For level "namespaces" only.
    """
    return [*_namespaces(sandbox, limits, folder, (str(programs), "/programs")), "-session"]


def _bounds(sandbox: Sandbox, limits: Limits) -> list[str]:
    return [
        str(sandbox.helper), "confine", "-memory", str(limits.memory), "-processor", str(limits.processor),
        "-file", str(limits.file),
    ]  # fmt: skip


def _namespaces(sandbox: Sandbox, limits: Limits, folder: Path, shown: tuple[str, str]) -> list[str]:
    """Walls of our own around what is shown: (place outside, place inside)."""
    binds = [part for host, path in (shown, *_furniture(sandbox)) for part in ("-bind", f"{host}={path}")]
    walls = ["-processes", str(limits.processes), "-root", str(folder), "-space", str(limits.space)]
    return [*_bounds(sandbox, limits), *walls, *binds]


def _furniture(sandbox: Sandbox) -> list[tuple[str, str]]:
    """What every program finds inside: (place outside, place inside)."""
    zones = sandbox.toolchain.goroot / "lib" / "time" / "zoneinfo.zip"
    return [(str(_etc()), "/etc"), *([(str(zones), "/zoneinfo.zip")] if zones.is_file() else [])]


def failure(done: Finished) -> str:
    """Why the walls could not be built, "" when they were: then the rest of `done` is the program's own doing."""
    last = done.stderr.strip().splitlines()[-1:] or [""]
    if (done.code == FAILED and last[0].startswith("confine: ")) or (done.code == 1 and last[0].startswith("bwrap: ")):
        return last[0]
    return ""


def inner_environment(sandbox: Sandbox, folder: Path) -> Mapping[str, str]:
    """The whole environment of a wrapped program; folder as in `wrap`."""
    home = str(folder) if sandbox.level.name == "limits" else "/tmp"
    zones = sandbox.toolchain.goroot / "lib" / "time" / "zoneinfo.zip"
    return {
        "HOME": home,
        "TMPDIR": home,
        "USER": "gosmith",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "ZONEINFO": str(zones) if sandbox.level.name == "limits" else "/zoneinfo.zip",
        "GOMAXPROCS": "1",
        "GOMEMLIMIT": "512MiB",
    }


def scratch(toolchain: Toolchain) -> tempfile.TemporaryDirectory[str]:
    """A temporary folder of this process in Gosmith's cache, on the disk where the build cache is, too."""
    parent = Path(environment(toolchain)["TMPDIR"])
    return tempfile.TemporaryDirectory(prefix=f"batch-{os.getpid()}-", dir=parent, ignore_cleanup_errors=True)


def _etc() -> Path:
    """The few files of /etc that Go's resolver and os/user read."""
    folder = cache_dir() / "go" / "etc"
    files = {
        "hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "passwd": "gosmith:x:1000:1000::/tmp:/bin/false\n",
        "group": "gosmith:x:1000:\n",
        "nsswitch.conf": "hosts: files\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        if not (folder / name).is_file():
            temporary = folder / f".{name}.{os.getpid()}"
            temporary.write_text(text)
            temporary.replace(folder / name)
    return folder
