"""The job kind "preview": what a run would see first, and what it would refuse, from the code that feeds the loop.

It needs the tokenizer only, so it answers in a few seconds; no weight is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.engine import data, documents, model, template, token_cache
from core.files import write_json
from core.jobs.worker import WorkerContext
from core.training.config_file import from_mapping

MOST_REFUSED = 200
MOST_ROWS = 8


def main(context: WorkerContext) -> None:
    """Request: {"config", "base": folder, "snapshot": folder}.

    Writes output/preview.json: {"rows": [{"sample", "line", "truncated", "tokens": [{"text", "id", "trained"}]}],
    "refused": [{"sample", "line", "reason"}], "totals": {...}}. rows are the documents of the first step.
    """
    config = from_mapping(context.request["config"])
    base = Path(context.request["base"])
    tokenizer = model.load_tokenizer(base)
    if config.data.objective == "sft":
        template.ensure_template(tokenizer)
    snapshot = Path(context.request["snapshot"])
    good, refused = documents.split_refusals(token_cache.load(snapshot / "train.jsonl", base, tokenizer, config.data))
    rows: list[dict[str, Any]] = []
    totals = {"documents": len(good), "refused": len(refused), "tokens": 0, "trained": 0, "cut": 0, "sequences": 0}
    if good:
        sequences = data.sequences(
            good,
            packing=config.data.packing,
            max_length=config.data.max_length,
            seed=config.seed,
        )
        totals |= {
            "tokens": sum(len(document.ids) for document in good),
            "trained": sum(document.targets for document in good),
            "cut": sum(document.cut > 0 for document in good),
            "sequences": len(sequences.members),
        }
        first = sequences.at(0, config.batch.micro * config.batch.accumulation)
        members = [member for sequence in first for member in sequences.members[sequence]]
        rows = [_row(tokenizer, sequences.documents[member]) for member in members[:MOST_ROWS]]
    write_json(
        context.folder.output / "preview.json",
        {
            "rows": rows,
            "refused": [
                {"sample": item.sample, "line": item.line, "reason": item.reason} for item in refused[:MOST_REFUSED]
            ],
            "totals": totals,
        },
    )


def _row(tokenizer: Any, document: documents.Document) -> dict[str, Any]:
    """Tokens with their own text; the first of a document is never predicted, so it is never trained."""
    trained = document.trained.copy()
    trained[:1] = False
    pieces = [tokenizer.decode([int(token)]) for token in document.ids]
    return {
        "sample": document.sample,
        "line": document.line,
        "truncated": document.cut > 0,
        "tokens": [
            {"text": text, "id": int(token), "trained": bool(counts)}
            for text, token, counts in zip(pieces, document.ids, trained, strict=True)
        ],
    }
