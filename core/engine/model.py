"""Loading the student: a base, an adapter on it, and the tokenizer that belongs to both.

Weights are read from safetensors only and no code from a model folder is ever run (`trust_remote_code` never).
What does not fit together (tokenizer and embedding, adapter and base, a target that no layer has) is refused before
training, and `probe` checks on two tiny documents what transformers promises silently and not for every model.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from core.engine import attention
from core.engine.compute import Compute
from core.engine.data import Batch
from core.engine.objective import Objective, hidden, inputs
from core.errors import UserError

if TYPE_CHECKING:  # so that the engine's parts can be used where pydantic is not
    from core.training.sections import MethodSection

NEVER_CODE: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}


@dataclass(slots=True)
class Student:
    """model: what is trained (a PEFT model or the base itself). causal: the base inside it. fused_head, flat: see `probe`."""

    model: Any
    causal: Any
    tokenizer: Any
    kind: str
    fused_head: bool = True
    flat: bool = False

    def trainable(self) -> list[tuple[str, nn.Parameter]]:
        """Names and parameters that training changes, in a fixed order."""
        return [(name, parameter) for name, parameter in self.model.named_parameters() if parameter.requires_grad]

    @property
    def softcap(self) -> float:
        """What the model's logits are held below, as Gemma 2 does; 0 for no cap."""
        return float(self.causal.config.to_dict().get("final_logit_softcapping") or 0.0)

    def objective(self, compute: Compute, *, label_smoothing: float = 0.0) -> Objective:
        """What a run on this student minimises."""
        return Objective(
            self.model,
            self.causal,
            compute,
            fused_head=self.fused_head,
            softcap=self.softcap,
            label_smoothing=label_smoothing,
        )


def load_tokenizer(path: Path) -> Any:
    """The fast tokenizer in a model folder. Raises UserError when there is none."""
    from transformers import AutoTokenizer

    if not any((path / name).exists() for name in ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")):
        raise UserError(
            f"There is no tokenizer in {path}.", "Copy tokenizer.json and tokenizer_config.json into the model folder."
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, **NEVER_CODE)
    except (OSError, ValueError) as error:
        raise UserError(f"The tokenizer in {path} cannot be loaded: {_first_line(error)}", "Copy it again.") from error
    if not tokenizer.is_fast:
        raise UserError(f"The tokenizer in {path} has no tokenizer.json.", "Convert it to a fast tokenizer first.")
    return tokenizer


def load_causal(path: Path, dtype: torch.dtype, device: torch.device) -> Any:
    """The causal language model in a folder, in `dtype` on `device`, cache off. Raises UserError."""
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    require_safetensors(path)
    try:
        causal = AutoModelForCausalLM.from_pretrained(path, dtype=dtype, use_safetensors=True, **NEVER_CODE)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise UserError(
            f"The model in {path} cannot be loaded: {_first_line(error)}",
            "Check that it is a causal language model that this transformers knows, and that its files are complete.",
        ) from error
    causal.config.use_cache = False
    return causal.to(device)


def shape_of(path: Path, dtype: torch.dtype) -> Any:
    """The model in a folder without its weights: parameters on no device, to be sharded and then filled. Raises UserError."""
    from transformers import AutoConfig, AutoModelForCausalLM

    require_safetensors(path)
    with torch.device("meta"):
        causal = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(path, **NEVER_CODE), dtype=dtype)
    causal.config.use_cache = False
    return causal


def require_safetensors(path: Path) -> None:
    """Refuse a folder whose weights are pickled, or that has none."""
    if not (path / "config.json").is_file():
        raise UserError(f"{path} is not a model folder: it has no config.json.", "Choose the folder that holds it.")
    if any(path.glob("*.safetensors")):
        return
    pickles = [file.name for pattern in ("*.bin", "*.pt", "*.pth") for file in path.glob(pattern)]
    if pickles:
        raise UserError(
            f"The weights in {path} are pickled ({pickles[0]}), and a pickle can run any code.",
            "Use a version of the model with .safetensors files.",
        )
    raise UserError(f"There are no weights in {path}.", "Copy the model's .safetensors files there.")


def check_vocabulary(causal: Any, tokenizer: Any, path: Path) -> None:
    """Every id of the tokenizer must have a row in the embedding."""
    rows = causal.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise UserError(
            f"The tokenizer in {path} knows {len(tokenizer):,} tokens, but the model embeds {rows:,}.",
            "Use the tokenizer that came with the model.",
        )


def is_adapter(path: Path) -> bool:
    """Whether the folder holds an adapter (a LoRA checkpoint) and not a model of its own."""
    return (path / "adapter_config.json").is_file()


def adapter_base(path: Path) -> Path:
    """The base that an adapter was trained on. Raises UserError when it is gone or has changed."""
    try:
        base = Path(str(json.loads((path / "adapter_config.json").read_text())["base_model_name_or_path"]))
        note = json.loads((path / "gosmith.json").read_text()) if (path / "gosmith.json").exists() else {}
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"The adapter in {path} is damaged: {_first_line(error)}", "Use another checkpoint.") from error
    if not (base / "config.json").is_file():
        raise UserError(f"The base of the checkpoint {path.name} is gone: {base}.", "Put the model back there.")
    if note.get("base_hash") not in (None, fingerprint(base)):
        raise UserError(
            f"The model in {base} is not the one that {path.name} was trained on.",
            "Put the original base back, or train again on this one.",
        )
    return base


def fingerprint(path: Path) -> str:
    """16 hex digits that change with a model's shape, tokenizer or weights; reads 1 MiB of every weight file at most."""
    digest = hashlib.sha256()
    for file in sorted([*path.glob("*.safetensors"), path / "config.json", path / "tokenizer.json"]):
        if file.is_file():
            digest.update(f"{file.name}:{file.stat().st_size}:".encode())
            with file.open("rb") as opened:
                digest.update(opened.read(2**20))
    return digest.hexdigest()[:16]


def attach_lora(causal: Any, *, base: Path, method: MethodSection) -> Any:
    """A PEFT model around `causal` whose fp32 adapters alone are trainable. Raises UserError for a target no layer has."""
    from peft import LoraConfig, get_peft_model

    chosen: str | list[str] = method.targets if method.targets == "all-linear" else list(method.targets)
    if isinstance(chosen, list):
        check_targets(causal, chosen)
    config = LoraConfig(
        r=method.rank,
        lora_alpha=method.alpha,
        lora_dropout=method.dropout,
        target_modules=chosen,
        use_rslora=method.rslora,
        use_dora=method.dora,
        bias="none",
        task_type="CAUSAL_LM",
    )
    with quiet():
        model = get_peft_model(causal, config)
    config.base_model_name_or_path = str(base)
    leave_casting_to_autocast(model)
    return model


def leave_casting_to_autocast(model: Any) -> None:
    """Keep PEFT from turning every bf16 input into fp32 before autocast turns it back: the same numbers, 12 % sooner."""
    from peft.tuners.lora.layer import LoraLayer

    for module in model.modules():
        if isinstance(module, LoraLayer):
            module.cast_input_dtype_enabled = False


def check_targets(causal: Any, targets: Sequence[str]) -> None:
    """Every named target must be the name of some linear layer, and not of the output head."""
    head = causal.get_output_embeddings()
    linear = [name for name, part in causal.named_modules() if isinstance(part, nn.Linear) and part is not head]
    known = {name.rsplit(".", 1)[-1] for name in linear}
    for target in targets:
        if not any(f".{name}".endswith(f".{target}") for name in linear):
            near = difflib.get_close_matches(target, known, 1)
            raise UserError(
                f'method.targets names "{target}", which no linear layer of this model is called.',
                f'Did you mean "{near[0]}"?' if near else f"Its layers: {', '.join(sorted(known))}.",
            )


def open_adapter(causal: Any, path: Path, *, trainable: bool, values: bool = True) -> Any:
    """The adapter in `path` on its base; without `values` its shape alone. Raises UserError when it does not fit."""
    from peft import PeftConfig, PeftModel, get_peft_model

    if not (path / "adapter_model.safetensors").is_file():
        raise UserError(f"The adapter in {path} has no adapter_model.safetensors.", "Only safetensors are loaded.")
    try:
        with quiet():
            if values:
                model = PeftModel.from_pretrained(causal, path, is_trainable=trainable)
            else:
                model = get_peft_model(causal, PeftConfig.from_pretrained(path))
    except (RuntimeError, ValueError, KeyError, SafetensorError) as error:
        raise UserError(
            f"The adapter in {path} does not fit its base: {_first_line(error)}", "Choose the base it was trained on."
        ) from error
    if trainable:
        leave_casting_to_autocast(model)
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """Without the notes of one library about another's old names, which no user of ours can do anything about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def probe(student: Student, compute: Compute, *, packing: bool, flat: bool = True) -> None:
    """Run two tiny documents through the model, packed and apart.

    Sets `fused_head` to whether hidden @ head.T are the model's logits (some models scale them; a cap is known), and `flat`, where it is
    wanted, to whether the model may attend without padding and mask (`core.engine.attention`) and gives the same numbers.
    Raises UserError when packed documents see each other, which transformers does not report, or when nothing finite comes out.
    """
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, min(len(student.tokenizer), 1000), (1, 17), generator=generator).to(compute.device)
    apart = torch.cat([torch.arange(10), torch.arange(7)])[None].to(compute.device)
    targets = torch.zeros_like(ids)
    was_training = student.model.training
    student.model.eval()
    with torch.no_grad(), compute.autocast():
        packed = hidden(student.causal, Batch(ids, apart, targets)).float()
        last = Batch(ids[:, 10:], apart[:, 10:], targets[:, 10:])
        alone = hidden(student.causal, last).float()
        logits = student.causal(**inputs(last)).logits.float()
        head = student.causal.get_output_embeddings()
        plain = (alone.to(compute.dtype) @ head.weight.to(compute.dtype).T).float()
        if cap := student.softcap:
            plain = cap * torch.tanh(plain / cap)
        student.flat = flat and _may_be_flat(student.causal, Batch(ids, apart, targets, (10, 7)), alone)
    student.model.train(was_training)
    if not alone.isfinite().all():
        raise UserError(
            "The base model computes numbers that are not finite.",
            "Its weights are damaged, or too large for this precision: copy it again, or set precision.dtype to fp32.",
        )
    student.fused_head = isinstance(head, nn.Linear) and head.bias is None and _near(plain, logits)
    if packing and not student.flat and not _near(packed[:, 10:], alone):
        raise UserError(
            "This model's attention lets packed samples see each other.", "Set data.packing = false for this model."
        )


def _may_be_flat(causal: Any, batch: Batch, alone: Tensor) -> bool:
    """Whether the second of two documents in a row comes out as it does alone; the model is left attending so, or as it was."""
    own = causal.config._attn_implementation
    if own != "sdpa":
        return False
    attention.attach(causal)
    try:
        if _near(hidden(causal, batch).float()[:, 10:], alone):
            return True
    except (RuntimeError, TypeError, ValueError):
        pass  # an attention that needs what ours does not know
    causal.set_attn_implementation(own)
    return False


def _near(a: Tensor, b: Tensor) -> bool:
    """Equal but for rounding: a leak or a scaled logit differs by the size of the values themselves."""
    return bool((a - b).abs().max() <= 0.1 * b.std() + 1e-6)


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
