"""What becomes of a question after it was sent: answered, sent again, given up, or everything paused. One table of rules for both transports.

Pure: bytes and numbers in, a decision and a sentence for people out. Waiting is `pacing`'s business, sending `sending`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.teacher.asking.bodies import Complaint, MalformedError, Reading, read_answer, read_complaint

Kind = Literal["response", "timeout", "cut", "unreachable", "interrupted"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one sending. body: the raw bytes, of a cut connection those that came. words: of a failure below HTTP."""

    kind: Kind
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, also one that was refused, filtered or cut at its length. note: what is odd about it, or ""."""

    reading: Reading
    note: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """To be sent again. counts: it is an attempt that failed, not a limit that was met. limited: slow down. name: for the ledger."""

    name: Literal["limited", "error", "timeout", "cut", "malformed", "unreachable", "interrupted"]
    code: str
    words: str
    possibly_billed: bool = False
    counts: bool = True
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """This question will never be answered as it is."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing will be answered until a person has done something."""

    code: str
    words: str


Outcome = Answered | Again | Rejected | Pause

_QUOTA = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "access_terminated")
_TOO_LONG = ("context_length_exceeded", "string_above_max_length")
_FILTERED = ("content_filter", "content_policy_violation")
_OVERLOADED = (503, 529)


def judge(heard: Heard, base_url: str, model: str) -> Outcome:
    """What to do after one sending of a question to `model` at `base_url`. Texts of the endpoint are quoted; clean them of keys first."""
    if heard.kind == "timeout":
        return Again(
            "timeout",
            "",
            "The answer did not come in time; it may have been billed.",
            possibly_billed=True,
            limited=True,
        )
    if heard.kind == "cut":
        return Again(
            "cut", "", f"The connection was cut before the answer's end; it may have been billed. {heard.words}".strip(),
            possibly_billed=True,
        )  # fmt: skip
    if heard.kind == "interrupted":
        return Again(
            "interrupted", "", "It was interrupted; it may have been billed.", possibly_billed=True, counts=False
        )
    if heard.kind == "unreachable":
        return Again("unreachable", "", f"{base_url} cannot be reached: {heard.words}", counts=False)
    complaint = read_complaint(heard.body)
    if heard.status < 300:
        return _judge_success(heard, complaint, base_url, model)
    return judge_error(heard.status, complaint or Complaint("", "", ""), base_url, model)


def judge_error(status: int, said: Complaint, base_url: str, model: str) -> Again | Rejected | Pause:
    """What an error of an endpoint means."""
    code = said.code or said.kind
    words = said.words or f"status {status}"
    if said.code in _QUOTA or said.kind in _QUOTA:
        return Pause(code, f"The account at {base_url} has no quota left: {_whole(words)} Add credit, then resume.")
    if status == 429:
        return Again("limited", code, words, counts=False, limited=True)
    if status == 401:
        return Pause(code, f"{base_url} refused the key: {_whole(words)} Check the key, then resume.")
    if status == 402:
        return Pause(code, f"{base_url} asks for payment: {_whole(words)} Add credit, then resume.")
    if said.code in _FILTERED:
        return Rejected(code, f"The endpoint's filter refused the question: {_whole(words)}")
    if status == 403:
        return Pause(code, f"{base_url} does not allow this account to ask {model}: {_whole(words)}")
    if status == 404 or said.code == "model_not_found":
        return Pause(code, f"There is no model {model} at {base_url}: {_whole(words)} Choose another, then begin anew.")
    if said.code in _TOO_LONG or status == 413:
        return Rejected(code, f"The question is too long for {model}: {_whole(words)}")
    if status in (408, 409, 425) or status >= 500:
        return Again("error", code or str(status), words, limited=status in _OVERLOADED)
    return Rejected(code, f"The endpoint refused the question: {_whole(words)}")


def _judge_success(heard: Heard, complaint: Complaint | None, base_url: str, model: str) -> Outcome:
    try:
        reading = read_answer(heard.body)
    except MalformedError as error:
        if complaint is not None and (complaint.code or complaint.kind):  # proxies and streams tell errors so
            status = int(complaint.code) if complaint.code.isdigit() else 500
            status = 429 if "rate_limit" in (complaint.code + complaint.kind) else max(status, 400)
            return judge_error(status, complaint, base_url, model)
        return Again(
            "malformed", "", f"The body cannot be read: {error}. It may have been billed.", possibly_billed=True
        )
    same = not reading.model or reading.model == model or reading.model.startswith((model + "-", model + ":"))
    return Answered(reading, "" if same else f"{reading.model} answered in place of {model}.")


def _whole(words: str) -> str:
    return words.rstrip(". ") + "."
