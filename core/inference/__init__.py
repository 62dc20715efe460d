"""Asking a model: what may be asked, and the client of a `serve` job. No torch; the model lives in another process."""

from __future__ import annotations

from core.inference.client import Answer, Finish, Piece, ServerAddress, stream_chat, stream_completion
from core.inference.sampling import Sampling, validate

__all__ = ["Answer", "Finish", "Piece", "Sampling", "ServerAddress", "stream_chat", "stream_completion", "validate"]
