"""What every test may rely on: one thread, no network, an offscreen screen, and folders of its own."""

from __future__ import annotations

import os

os.environ.update(
    {
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "TRITON_INTERPRET": "0" if os.environ.get("GOSMITH_TEST_GPU") else "1",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "",  # where it is set, each of many processes would compile all of our modules again
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }
)
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scheduling import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the whole run: the Go helper and Go's build cache are built once, not once a test."""
    named = os.environ.get("GOSMITH_TEST_CACHE")
    return Path(named) if named else tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, data and workspace of this test alone."""
    monkeypatch.setenv("GOSMITH_CACHE", str(shared_cache))
    monkeypatch.setenv("GOSMITH_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("GOSMITH_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("GOSMITH_WORKSPACE", raising=False)
    return tmp_path


@pytest.fixture
def go_ready(own_folders: Path) -> None:
    """The Go helper, built into the cache that the whole run shares; without it a real window starts the job that builds it."""
    from core.golang.helper import prepare
    from core.golang.toolchain import find

    prepare(find())


@pytest.fixture(autouse=True)
def garbage_waits_for_qt(request: pytest.FixtureRequest) -> Iterator[None]:
    """As in the application, cyclic garbage is not collected while Qt is at work; see `app.collector`."""
    if "qapp" not in request.fixturenames:
        yield
        return
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def eventually() -> Callable[..., None]:
    """`eventually(condition, seconds=10)`: wait until the condition holds; fail with its name if it never does.

    What takes long is looked at less often: a look at a job reads files, and takes the processor from what is waited for.
    """

    def wait(condition: Callable[[], object], seconds: float = 10.0, what: str = "") -> None:
        began = time.monotonic()
        while not condition():
            waited = time.monotonic() - began
            if waited > seconds:
                raise AssertionError(f"not within {seconds:g} s: {what or condition}")
            time.sleep(min(0.05, 0.01 + waited / 50))

    return wait


@pytest.fixture
def begin_nap(eventually: Callable[..., None]) -> Iterator[Callable[..., Any]]:
    """`begin_nap(jobs_dir, "a", resources=("train",), steps=3)`: a real job that sleeps; nothing of it may be left at the end."""
    from core import jobs
    from core.jobs import control
    from core.jobs.folder import JobFolder
    from core.jobs.process import members

    made: list[JobFolder] = []

    def begin(
        jobs_dir: Path,
        title: str = "A nap",
        *,
        kind: str = "sleeper",
        resources: tuple[str, ...] = (),
        not_before: float | None = None,
        **request: Any,
    ) -> JobFolder:
        folder = jobs.create(jobs_dir, kind, request, title=title, resources=resources, not_before=not_before)
        made.append(folder)
        control.start(folder, main_file=Path(__file__).parent / "core/jobs/sleeper.py")
        return folder

    yield begin
    for folder in [one for one in made if one.path.exists()]:
        control.kill(folder)
        eventually(lambda folder=folder: not members(folder.path), what="processes left behind")
