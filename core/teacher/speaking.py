"""A teacher asked by hand, for one streamed answer: whom, what it may cost, and what it did cost. Nothing of it is stored, the key least of all.

Only what OpenAI's interface knows is sent: top-k, min-p and repetition penalty are Gosmith's own. What an endpoint refuses is a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from core.inference.client import Answer
from core.inference.refusals import ServerAddress
from core.inference.sampling import Sampling
from core.jobs import list_jobs
from core.jobs.folder import read_job
from core.teacher.asking.bodies import Complaint, read_complaint
from core.teacher.asking.budget import bound
from core.teacher.asking.keys import OPENAI, Credentials, check_url, find_credentials, is_loopback
from core.teacher.asking.outcomes import judge_error
from core.teacher.asking.prices import PriceTable
from core.teacher.exchange import Question, Usage

if TYPE_CHECKING:
    from openai import OpenAI, Stream

USUAL = "gpt-4.1"
KINDS = ("teacher", "judge")


@dataclass(frozen=True, slots=True)
class Teacher:
    """An endpoint and a model of it, as the endpoint calls it."""

    model: str = USUAL
    base_url: str = OPENAI


def last_used(jobs_dir: Path) -> Teacher:
    """Whom the newest job asked that has a plan, else the usual one."""
    for info in sorted(list_jobs(jobs_dir), key=lambda one: one.id, reverse=True):
        if info.kind in KINDS:
            plan = read_job(info.folder).request.get("plan")
            if isinstance(plan, dict) and plan.get("model"):
                return Teacher(str(plan["model"]), str(plan.get("base_url") or OPENAI))
    return Teacher()


def stream_teacher(teacher: Teacher, messages: Sequence[Mapping[str, str]], sampling: Sampling) -> Answer:
    """The teacher's answer, piece by piece, as `core.inference.stream_chat` gives a model's. Raises UserError where no key is found or the
    address is none; so does the answer, with what the endpoint said, cleaned of keys."""
    base_url = check_url(teacher.base_url)
    credentials = find_credentials(base_url)
    fields = fields_of(sampling)

    def ask(client: OpenAI) -> Stream[Any]:
        said: Any = [dict(message) for message in messages]
        stream: Stream[Any] = client.with_options(
            organization=credentials.organisation or None, project=credentials.project or None
        ).chat.completions.create(
            model=teacher.model, messages=said, stream=True, stream_options={"include_usage": True}, **fields
        )
        return stream

    def explain(error: Exception, *, begun: bool) -> UserError:
        return _explained(error, teacher, credentials, begun=begun)

    return Answer(
        ask,
        ServerAddress(base_url, credentials.key),
        explain=explain,
        proxies=not is_loopback(base_url),
        settings=fields,
    )


def fields_of(sampling: Sampling) -> dict[str, Any]:
    """What of the settings such an endpoint knows, as it calls them."""
    known = ("temperature", "top_p", "max_tokens", "seed", "stop")
    found = {name: value for name, value in asdict(sampling).items() if name in known and value not in (None, ())}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def most(
    teacher: Teacher, messages: Sequence[Mapping[str, str]], sampling: Sampling, prices: PriceTable
) -> Decimal | None:
    """The most that one answer can cost in dollars; None where the model has no price."""
    question = Question(teacher.base_url, teacher.model, tuple(messages), fields_of(sampling))
    return bound(question, prices, date.today()).usd


def cost(teacher: Teacher, prompt: int, completion: int, prices: PriceTable) -> Decimal | None:
    """Dollars for an answer of so many tokens; None where the model has no price."""
    return prices.cost(teacher.model, Usage(prompt, completion), date.today())


def _explained(error: Exception, teacher: Teacher, credentials: Credentials, *, begun: bool) -> UserError:
    """What a person reads instead of an HTTP error of a teacher's endpoint."""
    import openai

    if isinstance(error, openai.APIStatusError):
        said = read_complaint(error.response.content) or Complaint("", "", "")
        if error.status_code == 429 and "quota" not in f"{said.code} {said.kind}":
            words = f"{teacher.base_url} wants fewer requests: {said.words or 'status 429'}".rstrip(".") + "."
            return UserError(credentials.redact(words), "Wait a little and ask again.")
        words = judge_error(error.status_code, said, teacher.base_url, teacher.model).words
        if error.status_code >= 500:
            words = f"{teacher.base_url} failed: {words}".rstrip(".") + "."
        return UserError(credentials.redact(words), "Change the endpoint, the model or the settings, and ask again.")
    if begun:
        return UserError(
            "The teacher's answer was cut before its end; it may have been billed.", "Ask again if you want it whole."
        )
    why = type(error).__name__ if error.__cause__ is None else str(error.__cause__) or type(error.__cause__).__name__
    return UserError(credentials.redact(f"{teacher.base_url} cannot be reached: {why}"), "Check its address.")
