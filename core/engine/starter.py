"""Building the starter: a small Llama-type model that ships with Gosmith, made from Go source by the loop that tunes it.

    corpus -> byte-level BPE -> random model -> read files ("text", constant rate) -> read files, functions and bundled samples in
    chat shape (rate falling to zero) -> bf16 safetensors

Two ordinary runs of `core.engine.loop` over two ordinary snapshot folders; nothing here trains by itself. A killed build goes on
from the newest checkpoint in its work folder. It fetches nothing.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from core.engine import card, corpus, generate, loop, template
from core.engine.parallel import Group
from core.engine.prepare import Monitor
from core.errors import UserError
from core.golang.toolchain import Toolchain
from core.training.config_file import from_mapping

TEMPLATE = (
    "{%- for message in messages -%}{{ '<|' + message['role'] + '|>\n' }}"
    "{%- if message['role'] == 'assistant' -%}"
    "{%- generation -%}{{ message['content'] + '<|end|>' }}{%- endgeneration -%}"
    "{%- else -%}{{ message['content'] + '<|end|>' }}{%- endif -%}{{ '\n' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|assistant|>\n' }}{%- endif -%}"
)
SPECIAL = ("<|end|>", "<|pad|>", "<|system|>", "<|user|>", "<|assistant|>")


@dataclass(frozen=True, slots=True)
class Plan:
    """How large and how long. read_steps on files alone, mix_steps on files, functions and samples together."""

    vocabulary: int = 4096
    width: int = 256
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2
    intermediate: int = 704
    positions: int = 2048
    length: int = 512
    sequences: int = 8  # 4 learn faster at first and stay worse: 4.41 against 4.06 after 4 million tokens
    read_steps: int = 1000
    mix_steps: int = 1600
    learning_rate: float = 2e-3
    seed: int = 7


def build(
    source: Path, samples: Path, work: Path, plan: Plan, monitor: Monitor, toolchain: Toolchain | None = None
) -> Path:
    """Train the starter in `work` and return the folder of the finished model with its card (work/model).

    source: a Go toolchain's `src`. samples: the bundled samples. toolchain: whose parser judges, None to measure nothing
    and write no card. Raises UserError when a source is missing.
    """
    if not (source / "strings" / "strings.go").is_file():
        raise UserError(f"{source} is not the src folder of a Go toolchain.", "Name the src folder in GOROOT.")
    work.mkdir(parents=True, exist_ok=True)
    base, reading, mixture = work / "base", work / "reading", work / "mixture"
    files = list(corpus.files(source))
    conversations = list(corpus.bundled(samples))
    if not (mixture / "train.jsonl").exists():
        monitor.event("message", text="Reading the Go source.")
        tokenizer = make_tokenizer((file.text for file in files if not file.held_back), plan.vocabulary)
        make_model(tokenizer, plan).save_pretrained(base)
        tokenizer.save_pretrained(base)
        write_reading(reading, files)
        write_mixture(mixture, files, conversations, tokenizer, plan.seed)

    first = _train(plan, base, reading, work / "read", plan.read_steps, "constant", 0.02, monitor)
    last = _train(plan, first.checkpoints[-1], mixture, work / "mix", plan.mix_steps, "linear", 0.0, monitor)
    finished = finish(last.checkpoints[-1], work / "model")
    if toolchain is not None:
        monitor.event("message", text=f"Completing {card.HEADERS} unseen function headers.")
        chatter = generate.load(finished)
        held = card.headers(files)
        built = card.Build(
            files=len(files),
            held_back=sum(file.held_back for file in files),
            functions=sum(len(list(corpus.functions(file))) for file in files if not file.held_back),
            samples=len(conversations),
            tokens=(plan.read_steps + plan.mix_steps) * plan.sequences * plan.length,
            validation=last.validation or math.nan,
            minutes=(time.time() - (base / "config.json").stat().st_mtime) / 60,
            parameters=chatter.causal.num_parameters(),
        )
        card.write(finished, built, card.measure(chatter, held, toolchain), toolchain.version)
    return finished


def make_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """A byte-level BPE with a chat template, as a transformers tokenizer."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|pad|>", clean_up_tokenization_spaces=False
    )
    wrapped.chat_template = TEMPLATE
    return wrapped


def make_model(tokenizer: Any, plan: Plan) -> Any:
    """A Llama of the plan's shape with random weights; embeddings are tied."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(plan.seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=plan.width,
            intermediate_size=plan.intermediate,
            num_hidden_layers=plan.layers,
            num_attention_heads=plan.heads,
            num_key_value_heads=plan.kv_heads,
            max_position_embeddings=plan.positions,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def write_reading(folder: Path, files: Sequence[corpus.File]) -> None:
    """A snapshot folder of whole files."""
    _write(folder / "train.jsonl", [{"sample": f.path, "text": f.text} for f in files if not f.held_back])
    _write(folder / "validation.jsonl", [{"sample": f.path, "text": f.text} for f in files if f.held_back])


def write_mixture(
    folder: Path, files: Sequence[corpus.File], samples: Sequence[list[corpus.MESSAGE]], tokenizer: Any, seed: int
) -> None:
    """A snapshot folder of files, functions as questions and answers, and the bundled samples twice, in chat shape."""
    chats = [
        (function.path, corpus.conversation(function))
        for file in files
        if not file.held_back
        for function in corpus.functions(file)
    ]
    chats += [(f"bundled-{number}", messages) for number, messages in enumerate(samples)] * 2
    rows = [{"sample": name, "text": template.render(tokenizer, messages)} for name, messages in chats]
    rows += [{"sample": file.path, "text": file.text} for file in files if not file.held_back]
    random.Random(seed).shuffle(rows)
    _write(folder / "train.jsonl", rows)
    shutil.copyfile(folder.parent / "reading" / "validation.jsonl", folder / "validation.jsonl")


def finish(checkpoint: Path, target: Path) -> Path:
    """The trained model in bf16 with its tokenizer, and nothing that only resuming needs."""
    from transformers import AutoTokenizer, LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(checkpoint, dtype=torch.bfloat16, local_files_only=True)
    model.config.use_cache = True
    model.save_pretrained(target)
    AutoTokenizer.from_pretrained(checkpoint, local_files_only=True).save_pretrained(target)
    return target


def _train(
    plan: Plan,
    base: Path,
    snapshot: Path,
    output: Path,
    steps: int,
    schedule: str,
    warmup: float,
    monitor: Monitor,
) -> loop.Result:
    config = from_mapping(
        {
            "name": output.name,
            "seed": plan.seed,
            "model": {"base": str(base)},
            "data": {"snapshot": str(snapshot), "objective": "text", "max_length": plan.length, "packing": True},
            "method": {"kind": "full"},
            "optimizer": {
                "learning_rate": plan.learning_rate,
                "schedule": schedule,
                "warmup": warmup,
                "weight_decay": 0.05,
            },
            "budget": {"steps": steps},
            "batch": {"micro": plan.sequences, "accumulation": 1},
            "checkpoints": {"every": 100, "keep": 2},
            "validation": {"every": 200},
        }
    )
    monitor.event("message", text=f"{output.name}: {steps:,} steps of {plan.sequences * plan.length:,} tokens.")
    output.mkdir(parents=True, exist_ok=True)
    result = loop.train(config, base, snapshot, output, run="starter", monitor=monitor, group=Group())
    if result.stopped:
        raise UserError("The build was stopped.", "Start it again with the same work folder to go on.")
    return result


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
