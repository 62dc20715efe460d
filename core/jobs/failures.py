"""Why a job failed, as one sentence with a next step, from what its workers left behind.

Pure functions over plain data: no torch class is needed to know that memory ran out. No traceback ever gets into a
sentence; it stays in the worker's log. What is not recognised is called what it is: a bug.
"""

from __future__ import annotations

import errno
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class RankEnd:
    """How one worker ended.

    exit: its code, negative for a signal. time: when, in seconds since the epoch. error: what it wrote of its own
    failure (`core.jobs.worker.describe`), None when it left nothing. tail: the last few kilobytes of its log.
    by_us: the supervisor ended it, because of another worker.
    """

    rank: int
    exit: int
    time: float = 0.0
    error: dict[str, Any] | None = None
    tail: str = ""
    by_us: bool = False

    @property
    def types(self) -> frozenset[str]:
        """Qualified names of the classes of its exception and of that one's causes."""
        return frozenset(self.error["types"]) if self.error else frozenset()

    @property
    def text(self) -> str:
        """What its exceptions said; the end of its log when it left none."""
        return "\n".join(self.error["texts"]) if self.error else self.tail


@dataclass(frozen=True, slots=True)
class Failure:
    """cause: short name for programs, such as "memory". message: what happened. hint: what to do next."""

    cause: str
    message: str
    hint: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Around:
    """What else is known of the attempt. kind: of the job. request: what was asked of it.

    kernel_killed: the kernel's count of processes killed for memory rose while the job ran. gpu: it held a GPU.
    deaf: workers that said nothing when the others gave up, and had to be ended.
    """

    kind: str = "train"
    request: Mapping[str, Any] = field(default_factory=dict)
    kernel_killed: bool = False
    gpu: bool = False
    deaf: tuple[int, ...] = ()


RESUME: Final = "Resume it to go on from its last checkpoint."
LOG: Final = "The log has the details."

_PARTNER_LOST = re.compile(
    r"connection (was )?(closed|reset|refused)|closed by (remote )?peer|broken pipe|remote process exited"
    r"|socket timeout|connection.*timed out|failed to recv|ncclremoteerror|ncclsystemerror",
    re.IGNORECASE,
)
_GPU_MEMORY = re.compile(r"CUDA out of memory|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|HIP out of memory")
_MEMORY = re.compile(r"DefaultCPUAllocator: |std::bad_alloc|Cannot allocate memory")
_DISK = re.compile(r"No space left on device|Disk quota exceeded")
_NAN = re.compile(
    r"\bnon-finite\b|\b(loss|gradient|grad)\b.{0,40}\b(nan|inf)\b|\b(nan|inf)\b.{0,40}\b(loss|gradient|grad)\b",
    re.IGNORECASE,
)
_KERNEL_BUG = re.compile(
    r"illegal memory access|device-side assert|misaligned address|CUDA error: unspecified launch failure"
)
_GPU_SETUP = re.compile(
    r"no kernel image is available|driver version is insufficient|NVIDIA driver on your system is too old"
    r"|No CUDA GPUs are available|Found no NVIDIA driver|invalid device ordinal"
)
_TIMEOUT = re.compile(
    r"watchdog.{0,80}timeout|collective operation timeout|Timed out waiting", re.IGNORECASE | re.DOTALL
)
_FULL_DISK_ERRORS: Final = (errno.ENOSPC, errno.EDQUOT)


def classify(ends: Sequence[RankEnd], around: Around = Around()) -> Failure:
    """The first cause among the workers that failed; the others mostly only lost their partner.

    ends: the workers with an exit code that means failure, at least one.
    """
    first = min(ends, key=lambda end: (end.by_us, _only_lost_partner(end), end.time, end.rank))
    around = replace(around, deaf=tuple(sorted(end.rank for end in ends if end.by_us and end.error is None)))
    for rule in _RULES:
        failure = rule(first, around)
        if failure is not None:
            return failure
    return _bug(first)


def _only_lost_partner(end: RankEnd) -> bool:
    user = end.error is not None and end.error["user"]
    return not user and end.exit > 0 and bool(_PARTNER_LOST.search(end.text))


def _user(end: RankEnd, around: Around) -> Failure | None:
    if end.error is None or not end.error["user"]:
        return None
    return Failure("user", end.error["message"], end.error["hint"], end.rank)


def _gpu_memory(end: RankEnd, around: Around) -> Failure | None:
    known = any(name.endswith(".OutOfMemoryError") and name.startswith("torch") for name in end.types)
    if not known and not _GPU_MEMORY.search(end.text):
        return None
    asked = re.search(r"Tried to allocate ([\d.]+ [KMGT]iB)", end.text)
    more = f" when it asked for {asked[1]} more" if asked else ""
    return Failure("gpu-memory", f"The GPU ran out of memory{more}.", _smaller(around), end.rank)


def _memory(end: RankEnd, around: Around) -> Failure | None:
    killed = _signal(end) == signal.SIGKILL and around.kernel_killed
    if killed:
        return Failure(
            "memory", "The computer ran out of memory, and the system killed the job.", _smaller(around), end.rank
        )
    if "builtins.MemoryError" in end.types or _MEMORY.search(end.text):
        return Failure("memory", "The computer ran out of memory.", _smaller(around), end.rank)
    return None


def _smaller(around: Around) -> str:
    """What would need less memory; for a run in the figures of its own configuration, and so that its steps stay what they are."""
    config = around.request.get("config")
    if around.kind != "train" or not isinstance(config, dict):
        if around.kind in ("train", "starter"):
            return (
                "Lower batch.micro and raise batch.accumulation by as much, shorten data.max_length, "
                "or set parallel.activation_checkpointing to full; then start it again."
            )
        return "Close what else uses memory, such as a run or another loaded model; then start it again."
    batch, length = config["batch"], config["data"]["max_length"]
    micro, accumulation = batch["micro"], batch["accumulation"]
    ways = []
    if micro > 1:
        less = max(size for size in range(1, micro) if micro % size == 0)
        ways.append(
            f"batch.micro = {less} and batch.accumulation = {accumulation * micro // less} "
            f"instead of {micro} and {accumulation}, which makes the same steps"
        )
    if config["parallel"]["activation_checkpointing"] != "full":
        ways.append('parallel.activation_checkpointing = "full"')
    ways.append(f"a data.max_length below {length:,}")
    return f"Start it again with {', or with '.join(ways)}."


def _disk(end: RankEnd, around: Around) -> Failure | None:
    number = end.error["errno"] if end.error else None
    if number not in _FULL_DISK_ERRORS and not _DISK.search(end.text):
        return None
    return Failure(
        "disk",
        "The disk is full; what was saved before is whole.",
        "Delete old jobs or other files, then resume it.",
        end.rank,
    )


def _nan(end: RankEnd, around: Around) -> Failure | None:
    if "builtins.FloatingPointError" not in end.types and not (end.error and _NAN.search(end.text)):
        return None
    step = re.search(r"\bstep (\d+)", end.text)
    where = f" at step {int(step[1]):,}" if step else ""
    return Failure(
        "nan",
        f"The loss became NaN or infinite{where}.",
        "Lower optimizer.learning_rate or lengthen optimizer.warmup; with precision.dtype fp16, take bf16 or fp32.",
        end.rank,
    )


def _missing_module(end: RankEnd, around: Around) -> Failure | None:
    if "builtins.ImportError" not in end.types and not (end.error is None and "ModuleNotFoundError: " in end.tail):
        return None
    name = re.search(r"No module named '([^']+)'", end.text)
    what = (
        f"the Python module “{name[1]}” is missing"
        if name
        else f"a Python module cannot be loaded ({_last_line(end.text)})"
    )
    return Failure(
        "import", f"The installation is not whole: {what}.", "`gosmith doctor` says how to get it.", end.rank
    )


def _gpu_setup(end: RankEnd, around: Around) -> Failure | None:
    found = _GPU_SETUP.search(end.text)
    if not found:
        return None
    return Failure(
        "gpu", f"The GPU cannot be used: {_line_with(end.text, found.start())}", "`gosmith doctor` says why.", end.rank
    )


def _kernel_bug(end: RankEnd, around: Around) -> Failure | None:
    number = _signal(end)
    crash = number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)
    on_gpu = bool(_KERNEL_BUG.search(end.text))
    if not crash and not on_gpu:
        return None
    how = f"crashed in native code ({_signal_name(number)})" if crash else "made the GPU fail"
    if around.kind == "train" and (on_gpu or around.gpu):
        blame = (
            'Start it again with kernels = "off" to see whether ours are at fault; '
            "CUDA_LAUNCH_BLOCKING=1 in the environment makes the log name the one that is."
        )
    elif around.kind == "train":
        blame = f"{RESUME} If it crashes again, please report it."
    else:
        blame = "Start it again."
    return Failure("crash", f"Worker {end.rank} {how}.", f"{blame} {LOG}", end.rank)


def _timeout(end: RankEnd, around: Around) -> Failure | None:
    if not _TIMEOUT.search(end.text):
        return None
    if around.deaf:
        who = f"Worker {around.deaf[0]} hung: the others waited for it until the time limit."
        return Failure("timeout", who, f"{RESUME} Its log, rank{around.deaf[0]}.log, has the details.", around.deaf[0])
    return Failure("timeout", "The workers waited for one another until the time limit.", f"{RESUME} {LOG}", end.rank)


def _lost_rank(end: RankEnd, around: Around) -> Failure | None:
    if not _only_lost_partner(end):
        return None
    return Failure(
        "lost-rank", f"Worker {end.rank} lost the connection to the other workers.", f"{RESUME} {LOG}", end.rank
    )


def _killed(end: RankEnd, around: Around) -> Failure | None:
    number = _signal(end)
    if number is None:
        return None
    hint = "Resume it, unless you ended it on purpose."
    if number == signal.SIGKILL:
        hint += " If nobody did, memory may have run out: `dmesg` names whom the kernel has killed."
    return Failure("killed", f"Worker {end.rank} was killed from outside ({_signal_name(number)}).", hint, end.rank)


def _signal(end: RankEnd) -> int | None:
    """The signal that ended it, also where a shell stood between; None when it ended by itself."""
    number = -end.exit if end.exit < 0 else end.exit - 128 if end.error is None else 0
    return number if number > 0 else None


def _signal_name(number: int | None) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


_Rule = Callable[[RankEnd, Around], Failure | None]
_RULES: Final[tuple[_Rule, ...]] = (
    _user,
    _gpu_memory,
    _memory,
    _disk,
    _nan,
    _missing_module,
    _gpu_setup,
    _kernel_bug,
    _timeout,
    _lost_rank,
    _killed,
)


def _bug(end: RankEnd) -> Failure:
    if end.error is not None:
        name = end.error["types"][0].rpartition(".")[2]
        what = f"{name}: {_last_line(end.error['texts'][0])}".rstrip(": ")
    else:
        what = _last_line(end.tail) or "it left no message"
        if "Traceback" not in end.tail:
            what = f"exit code {end.exit}"
    return Failure(
        "bug", f"The job failed in a way Gosmith does not know ({what}).", f"{LOG} Please report it.", end.rank
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def _line_with(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    return text[start:].split("\n", 1)[0].strip()[:200]
