"""What went wrong, in one sentence with a next step, from exit codes, error files and the end of a log."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from core.errors import UserError
from core.jobs.failures import Around, RankEnd, classify
from core.jobs.worker import describe


def raised(error: BaseException, rank: int = 0, time: float = 1.0) -> RankEnd:
    return RankEnd(rank, 1, time, describe(error, rank), "Traceback ...")


class OutOfMemoryError(RuntimeError):
    """Stands for torch.OutOfMemoryError, which is known by its name."""


OutOfMemoryError.__module__ = "torch"


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


CASES: list[tuple[Any, str, str, str]] = [
    (
        raised(UserError("The snapshot is empty.", "Accept samples.")),
        "user",
        "The snapshot is empty.",
        "Accept samples.",
    ),
    (
        raised(OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total ...")),
        "gpu-memory",
        "The GPU ran out of memory when it asked for 2.50 GiB more.",
        "batch.micro",
    ),
    (raised(caused(RuntimeError("step failed"), OutOfMemoryError("x"))), "gpu-memory", "The GPU ran out of memory", ""),
    (raised(MemoryError()), "memory", "The computer ran out of memory", "batch.micro"),
    (
        raised(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")),
        "memory",
        "ran out of memory",
        "",
    ),
    (raised(OSError(28, "No space left on device", "/x")), "disk", "The disk is full", "resume"),
    (
        raised(caused(RuntimeError("saving failed"), OSError(122, "Disk quota exceeded"))),
        "disk",
        "The disk is full",
        "",
    ),
    (raised(FloatingPointError("loss at step 1234")), "nan", "NaN or infinite at step 1,234", "learning_rate"),
    (raised(RuntimeError("loss is nan in step 7")), "nan", "at step 7", "learning_rate"),
    (raised(ModuleNotFoundError("No module named 'peft'")), "import", "“peft” is missing", "doctor"),
    (raised(ImportError("libcudart.so.12: cannot open shared object file")), "import", "libcudart.so.12", "doctor"),
    (
        raised(RuntimeError("CUDA error: no kernel image is available for execution")),
        "gpu",
        "no kernel image",
        "doctor",
    ),
    (raised(RuntimeError("CUDA error: an illegal memory access was encountered")), "crash", "made the GPU fail", "off"),
    (raised(RuntimeError("[Rank 1] Watchdog caught collective operation timeout")), "timeout", "time limit", "Resume"),
    (raised(RuntimeError("Connection closed by peer [127.0.0.1]:30172")), "lost-rank", "lost the connection", "Resume"),
    (raised(KeyError("oops")), "bug", "KeyError: 'oops'", "report"),
    (RankEnd(0, -signal.SIGKILL), "killed", "killed from outside (SIGKILL)", "Resume"),
    (RankEnd(0, 137), "killed", "killed from outside (SIGKILL)", "dmesg"),
    (RankEnd(0, -signal.SIGSEGV), "crash", "SIGSEGV", "Resume"),
    # Texts as they were recorded: torch on a GPU, gloo with a lost and with a deaf neighbour, NCCL.
    (
        raised(
            OutOfMemoryError(
                "CUDA out of memory. Tried to allocate 512.00 MiB. GPU 0 has a total capacity of 139.80 GiB of which 311.12 MiB "
                "is free. Process 1234 has 139.48 GiB memory in use."
            )
        ),
        "gpu-memory",
        "asked for 512.00 MiB more",
        "activation_checkpointing",
    ),
    (
        raised(RuntimeError("CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be ...")),
        "crash",
        "made the GPU fail",
        "CUDA_LAUNCH_BLOCKING=1",
    ),
    (
        raised(
            RuntimeError(
                "[Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=12, OpType=ALLREDUCE, NumelIn=4096, "
                "NumelOut=4096, Timeout(ms)=600000) ran for 600012 milliseconds before timing out."
            )
        ),
        "timeout",
        "time limit",
        "Resume",
    ),
    (
        raised(
            RuntimeError(
                "NCCL error in: ProcessGroupNCCL.cpp:2059, remote process exited or there was a network error, NCCL version 2.27\n"
                "ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely."
            )
        ),
        "lost-rank",
        "lost the connection",
        "Resume",
    ),
    (
        raised(
            RuntimeError(
                "[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:4242"
            )
        ),
        "lost-rank",
        "lost the connection",
        "Resume",
    ),
    (
        raised(RuntimeError("[.../unbound_buffer.cc:81] Timed out waiting 3000ms for recv operation to complete")),
        "timeout",
        "time limit",
        "Resume",
    ),
    (RankEnd(0, -signal.SIGABRT, tail="terminate called after std::bad_alloc"), "memory", "ran out of memory", ""),
    (RankEnd(0, 7, tail="some noise\n"), "bug", "exit code 7", "log"),
    (
        RankEnd(0, 1, tail="Traceback (most recent call last):\nModuleNotFoundError: No module named 'torch'\n"),
        "import",
        "“torch” is missing",
        "doctor",
    ),
]


@pytest.mark.parametrize(("end", "cause", "message", "hint"), CASES, ids=[f"{c[1]}-{i}" for i, c in enumerate(CASES)])
def test_each_failure_is_called_by_its_name(end: RankEnd, cause: str, message: str, hint: str) -> None:
    failure = classify([end])
    assert failure.cause == cause
    assert message in failure.message
    assert hint in failure.hint
    assert "\n" not in failure.message
    assert "Traceback" not in failure.message


def test_a_worker_killed_when_memory_ran_out_is_told_from_one_killed_by_a_person() -> None:
    killed = RankEnd(0, -signal.SIGKILL)
    assert classify([killed], Around(kernel_killed=True)).cause == "memory"
    assert classify([killed]).cause == "killed"


def test_the_first_cause_wins_over_those_who_only_lost_their_partner() -> None:
    lost = raised(RuntimeError("Connection reset by peer"), rank=0, time=1.0)
    cause = raised(OutOfMemoryError("CUDA out of memory"), rank=1, time=2.0)
    swept = RankEnd(2, -signal.SIGTERM, time=0.5, by_us=True)
    failure = classify([swept, lost, cause])
    assert (failure.cause, failure.rank) == ("gpu-memory", 1)


def test_only_a_run_is_told_to_shrink_its_batch() -> None:
    end = raised(OutOfMemoryError("CUDA out of memory"))
    assert "batch" in classify([end], Around("train")).hint
    assert "batch" not in classify([end], Around("serve")).hint


def test_a_run_is_told_in_its_own_figures_what_needs_less_memory() -> None:
    end = raised(OutOfMemoryError("CUDA out of memory"))
    config = {
        "batch": {"micro": 6, "accumulation": 4},
        "data": {"max_length": 2048},
        "parallel": {"activation_checkpointing": "none"},
    }
    hint = classify([end], Around("train", {"config": config})).hint
    assert "batch.micro = 3 and batch.accumulation = 8 instead of 6 and 4" in hint
    assert 'activation_checkpointing = "full"' in hint
    assert "below 2,048" in hint
    config["batch"] = {"micro": 1, "accumulation": 24}
    config["parallel"] = {"activation_checkpointing": "full"}
    hint = classify([end], Around("train", {"config": config})).hint
    assert hint == "Start it again with a data.max_length below 2,048."


def test_only_who_used_a_gpu_is_asked_to_try_without_kernels() -> None:
    crashed = RankEnd(1, -signal.SIGSEGV)
    assert 'kernels = "off"' in classify([crashed], Around(gpu=True)).hint
    assert "CUDA" not in classify([crashed]).hint + classify([crashed]).message


def test_the_worker_that_hung_is_named_not_the_one_that_noticed() -> None:
    waited = raised(RuntimeError("Timed out waiting 3000ms for recv operation to complete"), rank=0)
    hung = RankEnd(1, -signal.SIGKILL, time=9.0, by_us=True)
    failure = classify([waited, hung])
    assert (failure.cause, failure.rank) == ("timeout", 1)
    assert "Worker 1 hung" in failure.message


def test_an_error_of_the_users_never_counts_as_a_lost_partner() -> None:
    end = raised(UserError("The connection was refused by the teacher.", "Check base_url."))
    assert classify([end]).message == "The connection was refused by the teacher."
