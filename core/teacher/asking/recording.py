"""From what was heard to what is kept: cleaned of keys, priced, and made into the `Answer` that recipes get. Both transports use it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from core.teacher.asking.keys import Credentials
from core.teacher.asking.ledger import Attempt, Ending, Ledger
from core.teacher.asking.outcomes import Again, Answered, Heard, Outcome, Rejected, judge
from core.teacher.asking.prices import PriceTable
from core.teacher.exchange import Answer, Question, Usage


def cleaned(heard: Heard, credentials: Credentials) -> Heard:
    """What was heard, without keys: an error without anything like one, an answer without this very one."""
    clean = credentials.erase if heard.kind == "response" and heard.status < 300 else credentials.redact
    body = heard.body
    text = body.decode("utf-8", "surrogateescape")
    if (fixed := clean(text)) != text:
        body = fixed.encode("utf-8", "surrogateescape")
    headers = {name: credentials.redact(value) for name, value in heard.headers.items()}
    return Heard(heard.kind, heard.status, headers, body, credentials.redact(heard.words))


def ending_of(outcome: Outcome, question: Question, prices: PriceTable, share: Decimal = Decimal(1)) -> Ending:
    """How the attempt stands in the ledger. share: of the list price, that of a batch or 1."""
    if isinstance(outcome, Again):
        return Ending(outcome.name, outcome.code, outcome.words, outcome.possibly_billed)
    if not isinstance(outcome, Answered):
        return Ending("rejected" if isinstance(outcome, Rejected) else "paused", outcome.code, outcome.words)
    reading = outcome.reading
    price = prices.find_for(question.model, reading.model, today())
    cost = price.cost(reading.usage, share) if price is not None and reading.usage is not None else None
    return Ending(
        "answered",
        words=outcome.note,
        possibly_billed=reading.usage is None,
        usage=reading.usage,
        cost_usd=cost,
        prices=prices.version if cost is not None else "",
        model=reading.model,
        fingerprint=reading.fingerprint,
        tier=reading.tier,
    )


def make_answer(answered: Answered, ending: Ending, seconds: float, attempts: int) -> Answer:
    """The value that recipes get."""
    reading = answered.reading
    return Answer(
        text=reading.text,
        finish=reading.finish,
        refusal=reading.refusal,
        model=reading.model,
        fingerprint=reading.fingerprint,
        usage=reading.usage or Usage(0, 0),
        cost_usd=ending.cost_usd,
        prices=ending.prices,
        seconds=seconds,
        attempts=attempts,
    )


def stored_answer(attempt: Attempt, attempts: int) -> Answer:
    """An answer read again from its raw body, with the cost that was noted when it came."""
    outcome = judge(Heard("response", attempt.status, attempt.headers, attempt.raw), "", attempt.model)
    assert isinstance(outcome, Answered), "what was read once can be read again"
    ending = Ending("answered", cost_usd=attempt.cost_usd, prices=attempt.prices)
    return make_answer(outcome, ending, attempt.seconds, attempts)


def read_received(ledger: Ledger, prices: PriceTable) -> None:
    """Judge and price what came before a process was killed that had no time to read it."""
    for question, attempt in ledger.received():
        heard = Heard("response", attempt.status, attempt.headers, attempt.raw)
        share = prices.batch if attempt.batch is not None else Decimal(1)
        ledger.settle(attempt.id, ending_of(judge(heard, question.base_url, question.model), question, prices, share))


def today() -> date:
    """The day whose prices hold: endpoints bill in UTC."""
    return datetime.now(UTC).date()
