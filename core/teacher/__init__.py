"""The teacher: a strong model behind an OpenAI-compatible endpoint, asked for Go samples by recipe, within a budget.

Imports no openai until something is sent, and keeps no key anywhere.
"""

from core.teacher.exchange import Answer, Ask, AskFailedError, PausedError, Question, Usage

__all__ = ["Answer", "Ask", "AskFailedError", "PausedError", "Question", "Usage"]
