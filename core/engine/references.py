"""How likely a model finds the answers that a suite brings itself: the question is read, and the answer's tokens are scored.

One at a time, so that a number depends on nothing else that is asked; what an earlier try has written is not asked again.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.engine import template
from core.engine.asked import Piece, Request
from core.engine.generate import Chatter
from core.errors import UserError
from core.evaluation import likelihood
from core.evaluation.assembling import Question
from core.evaluation.likelihood import Likelihood
from core.inference.sampling import Sampling


def score_all(
    chatter: Chatter,
    asked: Sequence[tuple[str, Question, str]],
    file: Path,
    *,
    chat: bool,
    should_stop: Callable[[], bool] = lambda: False,
) -> Mapping[str, Likelihood]:
    """Score task, question and reference each, and keep it in `file`; by task, without those that a stop has left out.

    chat: the question in the model's chat template, else its plain text. A reference that is empty or does not fit is kept with the reason.
    """
    done = likelihood.read(file)
    with file.open("a", encoding="utf-8") as lines:
        for task, question, text in asked:
            if should_stop():
                break
            if task not in done:
                done[task] = _score(chatter, task, question, text, chat=chat)
                lines.write(likelihood.to_line(done[task]))
                lines.flush()
        os.fsync(lines.fileno())
    return done


def _score(chatter: Chatter, task: str, question: Question, text: str, *, chat: bool) -> Likelihood:
    if not text.strip():
        return Likelihood(task, 0, None, "the suite brings no answer that can be scored")
    user = [{"role": "user", "content": question.chat}]
    try:
        before = chatter.chat_ids(user) if chat else chatter.text_ids(question.text)
        answer = template.encode_text(chatter.tokenizer, text, end=False)
        request = Request((*before, *answer), Sampling(max_tokens=1), prompt_too=True, answer=False)
        parts = list(chatter.ask(request))
    except UserError as error:
        return Likelihood(task, 0, None, error.message)
    tokens = [token for part in parts if isinstance(part, Piece) for token in part.tokens]
    known = [token.logprob for token in tokens[len(before) :] if token.logprob is not None]
    nll = -math.fsum(known)
    if not math.isfinite(nll) or not known:
        return Likelihood(task, 0, None, "a token of it is impossible for this model")
    return Likelihood(task, len(known), nll)
