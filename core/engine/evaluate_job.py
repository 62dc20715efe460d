"""The job kind `evaluate_model`: a model answers the problems of a suite, and its answers are judged as ready-made ones are.

Beside its answers it is measured how likely it finds those that the suite brings. Then its memory and its GPU are given back: judging
needs neither, and whoever waits for the GPU can begin. What is answered, scored or judged stays: a resumed job goes on after it.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from core.engine import attempts, generate
from core.engine import references as references_of
from core.evaluation import likelihood
from core.evaluation.assembling import question
from core.evaluation.completions import Completion
from core.evaluation.job import judge_all
from core.evaluation.likelihood import Likelihood
from core.evaluation.starting import problems_of
from core.inference.sampling import from_dict
from core.jobs.worker import WorkerContext


def main(context: WorkerContext) -> None:
    """Request: that of `core.evaluation.starting.start_model_evaluation`.

    Events: message, progress, and at the end `evaluated`. Raises UserError when the model cannot be loaded, and as `judge_all` does.
    """
    made, likelihoods, weights = _answer(context)
    if context.should_stop():
        return
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    context.give_back_leases()
    refused = sum(one.reason == "refused" for one in made)
    if refused:
        first = next(one.detail for one in made if one.reason == "refused")
        context.message(f"{refused:,} questions could not be put to the model, and count as not answered. {first}")
    completions = [Completion(one.task, one.index, one.text) for one in made]
    told = {"weights": weights, "cut_off": sum(one.reason == "length" for one in made)}
    judge_all(context, completions, told=told, likelihoods=likelihoods)


def _answer(context: WorkerContext) -> tuple[list[attempts.Attempt], Mapping[str, Likelihood], str]:
    """All attempts, earlier ones first; how likely the references are; and what is to be said of the weights that made the new attempts."""
    request: dict[str, Any] = dict(context.request)
    settings: dict[str, Any] = request["settings"]
    problems = problems_of(context.folder)
    file = context.folder.output / attempts.FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    made = attempts.read(file)
    done = {(one.task, one.index) for one in made}
    total = len(problems) * settings["samples"]
    scored = likelihood.read(context.folder.output / likelihood.FILE)
    if len(done) == total and len(scored) == len(problems):
        return made, scored, ""
    context.message("Loading the model.")
    chatter = generate.load(Path(settings["path"]), int8=settings["int8"])
    context.message(f"Answering {total - len(done):,} times")
    asked = [(task, question(request["format"], one, request["mode"])) for task, one in problems.items()]
    sampling = from_dict(settings["sampling"])
    with file.open("a", encoding="utf-8") as lines:
        for one in attempts.attempts(
            chatter, asked, settings["samples"], sampling, chat=settings["chat"], done=done, should_stop=context.should_stop
        ):  # fmt: skip
            made.append(one)
            lines.write(attempts.to_line(one))
            lines.flush()
            context.progress(len(made), total)
        os.fsync(lines.fileno())
    chat = settings["chat"]
    references = [
        (task, put, likelihood.reference_text(request["format"], problems[task], chat=chat)) for task, put in asked
    ]
    file = context.folder.output / likelihood.FILE
    likelihoods = references_of.score_all(chatter, references, file, chat=chat, should_stop=context.should_stop)
    return made, likelihoods, chatter.decoder.weights
