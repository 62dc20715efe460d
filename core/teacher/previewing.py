"""All that a recipe would send for a few draws, rendered with stand-ins for what only answers can tell: for whoever edits its templates.

Every template is rendered, those of repairs and fixes too, so that a name that nobody gives is found here and not in the middle of a job.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from core.errors import UserError
from core.teacher.drawing import Draw, Seed, draws
from core.teacher.flow import conversation, rendered
from core.teacher.forecast import EXAMPLES, Example
from core.teacher.recipes import FIX, PROMPT, REPAIR, Recipe

_TASK, _CODE, _TEST, _WORDS = "(the task)", "(the code)", "(the test)", "(what the toolchain says)"


def preview(recipe: Recipe, go: str, pool: Sequence[Seed] = (), seed: int = 0) -> tuple[Example, ...]:
    """What is sent for the first draws; a message's role says what it belongs to. Raises UserError with file and line."""
    found = list(islice(draws(recipe.file, seed, EXAMPLES, {}, pool), EXAMPLES))
    if not found:
        raise UserError(f"The recipe “{recipe.name}” has nothing to start from.", "See seeds in the plan.")
    return tuple(
        Example(
            draw.number,
            draw.topic,
            {name: choice.value for name, choice in draw.axes.items()},
            tuple(_messages(recipe, draw, go)),
        )
        for draw in found
    )


def _messages(recipe: Recipe, draw: Draw, go: str) -> Iterator[tuple[str, str]]:
    file = recipe.file
    code = draw.seed.text if file.instruction is None and draw.seed is not None else _CODE
    if file.instruction is not None:
        for one in conversation(recipe, draw, go, file.instruction.template):
            yield f"instruction, {one['role']}", one["content"]
    task = rendered(recipe, draw, go, PROMPT, task=_TASK, code=code, test=_TEST, words=_WORDS)
    given = {"task": task, "code": code, "test": _TEST, "words": _WORDS}
    for one in conversation(recipe, draw, go, file.solution.template, **given):
        yield f"solution, {one['role']}", one["content"]
    for weak in (False, True):
        again = rendered(recipe, draw, go, REPAIR, weak=weak, **given)
        yield f"repair of {'a weak test' if weak else 'what does not pass'}, user", again
    yield "sample of a repair, user", rendered(recipe, draw, go, FIX, **given)
