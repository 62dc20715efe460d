"""Asking a model: what may be asked, and the client of a `serve` job. No torch; the model lives in another process."""

from __future__ import annotations

from core.inference.client import Answer, Finish, Piece, stream_chat, stream_completion
from core.inference.likelihoods import Likelihood, score
from core.inference.refusals import ServerAddress
from core.inference.sampling import Sampling, validate

__all__ = [
    "Answer",
    "Finish",
    "Likelihood",
    "Piece",
    "Sampling",
    "ServerAddress",
    "score",
    "stream_chat",
    "stream_completion",
    "validate",
]
