"""A black-box journey: the real window on a real X display with a window manager, seen and driven through the
accessibility tree alone, as a screen reader would. Skipped where the display's packages are not installed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BUS_LAUNCHER = Path("/usr/libexec/at-spi-bus-launcher")
SYSTEM_PYTHON = "/usr/bin/python3"


def _has_bindings() -> bool:
    probe = [SYSTEM_PYTHON, "-c", "import gi; gi.require_version('Atspi', '2.0')"]
    return Path(SYSTEM_PYTHON).exists() and subprocess.run(probe, capture_output=True).returncode == 0


missing = [tool for tool in ("Xvfb", "openbox", "dbus-run-session") if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(missing) or not BUS_LAUNCHER.exists() or not _has_bindings(),
        reason=f"needs Xvfb, openbox, dbus and the accessibility bindings (missing: {missing or 'at-spi'}); `make test` installs them on Debian as root",
    ),
]


class Screen:
    """The application on its display, and the driver that sees it."""

    def __init__(self, session: subprocess.Popen[str], log: Path) -> None:
        """log: what the application has written."""
        self._session = session
        self._log = log

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        assert self._session.stdin is not None
        assert self._session.stdout is not None
        self._session.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self._session.stdin.flush()
        # the accessibility bus's own daemons greet on the same pipe
        line = next((line for line in self._session.stdout if line.startswith("{")), "")
        assert line, "the driver ended without an answer"
        answer: dict[str, Any] = json.loads(line)
        assert answer.pop("ok"), f"{answer}; the application says: {self._log.read_text()[-2000:]}"
        return answer


@pytest.fixture
def screen(tmp_path: Path, go_ready: None) -> Iterator[Screen]:
    display = f":{90 + os.getpid() % 400}"
    environment = {
        **os.environ,
        "DISPLAY": display,
        "QT_QPA_PLATFORM": "xcb",
        "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
        "GOSMITH_WORKSPACE": str(tmp_path / "workspace"),
        "XDG_RUNTIME_DIR": str(tmp_path),
        "NO_AT_BRIDGE": "0",
    }
    tmp_path.chmod(0o700)
    driver = Path(__file__).with_name("atspi_driver.py")
    script = (
        f"{sys.executable} -m app.cli > {tmp_path}/app.log 2>&1 & "
        f"{SYSTEM_PYTHON} -X faulthandler {driver}; echo driver ended with $? >&2"
    )
    children = [
        subprocess.Popen(
            ["Xvfb", display, "-screen", "0", "1280x900x24", "-nolisten", "tcp"], stderr=subprocess.DEVNULL
        )
    ]
    log = (tmp_path / "session.log").open("w")
    try:
        socket = Path(f"/tmp/.X11-unix/X{display[1:]}")
        deadline = time.monotonic() + 10
        while not socket.exists():
            assert time.monotonic() < deadline, "Xvfb did not start"
            time.sleep(0.02)
        children.append(subprocess.Popen(["openbox"], env=environment, stderr=subprocess.DEVNULL))
        session = subprocess.Popen(
            ["dbus-run-session", "--", "sh", "-c", script],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
            stderr=log,
        )  # fmt: skip
        children.append(session)
        yield Screen(session, tmp_path / "app.log")
    finally:
        log.close()
        for child in reversed(children):
            if child.stdin is not None:
                child.stdin.close()
            if child.stdout is not None:
                child.stdout.close()
            try:
                os.killpg(child.pid, signal.SIGTERM) if child is children[-1] and len(
                    children
                ) == 3 else child.terminate()
            except ProcessLookupError:
                continue
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(10)


def test_the_window_can_be_used_through_the_accessibility_tree_alone(screen: Screen) -> None:
    assert screen.ask("wait", name="Samples", seconds=60)["name"]
    # search: the count follows
    screen.ask("type", id="searchField", text="topic:errors")
    found = screen.ask("wait", name="shown", seconds=20)
    assert "shown" in found["name"]
    # every page of the rail can be reached by pressing its button
    for button, sign in (
        ("navTraining", "New run"),
        ("navPlayground", "Send"),
        ("navSettings", "Theme"),
        ("navSamples", "Import"),
    ):
        screen.ask("press", id=button)
        assert screen.ask("wait", name=sign, seconds=20)["name"]
    # nothing a person can press is without a name
    nodes = screen.ask("names")["nodes"]
    nameless = [
        node for node in nodes if node["role"] in ("push button", "check box", "combo box") and not node["name"]
    ]
    assert not nameless
