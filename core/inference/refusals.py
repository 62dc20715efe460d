"""Where a model answers, and what a person reads when it does not: sentences instead of HTTP errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.errors import UserError

ANY: Final = "gosmith"
"""The name that means a server's own model, whatever it is called."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a model answers. url: ends in /v1. key: the server's own, made for its start."""

    url: str
    key: str


def refusal(error: Exception, address: ServerAddress, *, begun: bool) -> UserError:
    """What a person reads instead of an HTTP error."""
    import openai

    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return UserError(f"The model's server at {address.url} refused the key.", "Load the model again.")
    if isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
        return UserError(
            f"The model's server refused the request: {_said(error)}", "Change that setting and send again."
        )
    if isinstance(error, openai.NotFoundError):
        return UserError(f"Nothing answers questions at {address.url}.", "Load the model again.")
    if isinstance(error, openai.RateLimitError):
        return UserError("The model is busy with another answer.", "Wait for it to end, or stop it.")
    if isinstance(error, openai.APIStatusError):
        return UserError(f"The model's server failed: {_said(error)}", "Its log has the details; load the model again.")
    if isinstance(error, openai.APITimeoutError):
        return UserError(f"The model's server at {address.url} does not answer in time.", "Load the model again.")
    if begun and isinstance(error, openai.APIError) and not isinstance(error, openai.APIConnectionError):
        return UserError(f"The model failed in the middle of its answer: {_said(error)}", "Its log has the details.")
    if begun:
        return cut_off()
    return UserError(f"The model's server at {address.url} is gone.", "Load the model again.")


def cut_off() -> UserError:
    """What is said when an answer stops without an end."""
    return UserError("The model's process ended in the middle of its answer.", "Load the model again.")


def _said(error: Exception) -> str:
    """The server's own sentence, from the usual {"error": {"message": ...}} or {"detail": ...}."""
    import openai

    body = error.body if isinstance(error, openai.APIError) else None
    for key in ("message", "detail", "error"):
        if isinstance(body, dict) and isinstance(body.get(key), str):
            return str(body[key]).rstrip(".") + "."
    return str(error).splitlines()[0].rstrip(".") + "."
