"""One window a workspace: the second start raises the first window and ends.

The lock lies in the workspace, the message goes through a local socket. A lock whose owner died is taken over.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal

_RAISE = b"raise\n"
_ANSWER_MS = 1_000


class SingleInstance(QObject):
    """Signals: raise_wanted(), when somebody started Gosmith on this workspace again."""

    raise_wanted = Signal()

    def __init__(self, root: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        root = root.expanduser().absolute()
        self._name = f"gosmith-{hashlib.sha256(str(root).encode()).hexdigest()[:20]}"
        self._lock = QLockFile(str(root / ".window.lock"))
        self._lock.setStaleLockTime(0)
        self._server: QObject | None = None

    def first(self) -> bool:
        """Is this the only window on the workspace? A folder that cannot hold a lock counts as ours: opening it says why."""
        return self._lock.tryLock(0) or self._lock.error() != QLockFile.LockError.LockFailedError

    def listen(self) -> None:
        """Wait for others. Called after the first paint: QtNetwork takes 12 ms to import."""
        from PySide6.QtNetwork import QLocalServer

        QLocalServer.removeServer(self._name)
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        server.newConnection.connect(self._on_connection)
        server.listen(self._name)
        self._server = server

    def raise_other(self) -> bool:
        """Ask the first window to come to the front. False when it does not answer."""
        from PySide6.QtNetwork import QLocalSocket

        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(_ANSWER_MS):
            return False
        socket.write(_RAISE)
        socket.waitForBytesWritten(_ANSWER_MS)
        socket.disconnectFromServer()
        return True

    def release(self) -> None:
        """Let the next one in."""
        from PySide6.QtNetwork import QLocalServer

        if isinstance(self._server, QLocalServer):
            self._server.close()
        self._lock.unlock()

    def _on_connection(self) -> None:
        from PySide6.QtNetwork import QLocalServer

        assert isinstance(self._server, QLocalServer)
        socket = self._server.nextPendingConnection()
        if socket is not None:
            socket.disconnected.connect(socket.deleteLater)
            self.raise_wanted.emit()
