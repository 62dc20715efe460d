"""Compiles every GPU program of kernels/ for an H200, on any machine: no GPU is needed to write a GPU's code, only to run it.

python -m tests.kernels.hopper

The operations themselves are called, at the widths of a 7B, forwards and backwards; what they would start is compiled with the arguments
it would be started with, and not run. A line of JSON a program: its name, its arguments, and what the assembler says of it. Scalars are handed
over as fp64 too, as torch's own compiler does. It needs Triton without its interpreter, so a test runs it in a process of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import triton
from torch import Tensor
from triton.backends.compiler import GPUTarget
from triton.backends.nvidia.compiler import get_ptxas
from triton.compiler import ASTSource

import kernels.cross_entropy
import kernels.int8_linear
import kernels.rms_norm
import kernels.rope
import kernels.swiglu
from kernels import tile
from kernels.cross_entropy import cross_entropy
from kernels.int8_linear import int8_linear, quantized
from kernels.reference import Terms
from kernels.rms_norm import add_rms_norm, rms_norm
from kernels.rope import rope
from kernels.swiglu import again, swiglu

HOPPER = GPUTarget("cuda", 90, 32)
NAMES = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16", torch.int64: "i64", torch.int8: "i8"}
HIDDEN, WIDE, VOCABULARY, HEADS, KEYS, HEAD = 3584, 18944, 152064, 28, 4, 128
ROWS = 3
MODULES = (kernels.cross_entropy, kernels.int8_linear, kernels.rms_norm, kernels.rope, kernels.swiglu)


def operations(dtype: torch.dtype) -> Iterator[Callable[[], object]]:
    """Every way in which a program is started."""

    def made(*size: int) -> Tensor:
        return torch.zeros(size, dtype=dtype, requires_grad=True)

    def both(operation: Callable[..., Any], *values: Tensor) -> Callable[[], object]:
        def run() -> None:
            out = operation(*values)
            outs = out if isinstance(out, tuple) else (out,)
            torch.autograd.backward(outs, [torch.zeros_like(one) for one in outs])

        return run

    x, residual, frozen = made(ROWS, HIDDEN), made(ROWS, HIDDEN), torch.ones(HIDDEN, dtype=dtype)
    for one in (False, True):
        yield both(lambda x, one=one: rms_norm(x, frozen, 1e-6, one=one), x)
        yield both(lambda x, w, one=one: rms_norm(x, w, 1e-6, one=one), x, made(HIDDEN))
        yield both(lambda x, r, one=one: add_rms_norm(x, r, frozen, 1e-6, one=one), x, residual)
    yield both(lambda x: rms_norm(x, torch.ones(HEAD, dtype=dtype), 1e-6), made(ROWS, HEADS, HEAD))
    cos = torch.ones(ROWS, HEAD, dtype=dtype)
    yield both(lambda q, k: rope(q, k, cos, cos), made(ROWS, HEADS, HEAD), made(ROWS, KEYS, HEAD))
    yield both(swiglu, made(ROWS, WIDE), made(ROWS, WIDE))
    yield lambda: again(*(torch.zeros(ROWS, WIDE, dtype=dtype) for _ in range(3)))
    targets = torch.zeros(ROWS, dtype=torch.int64)
    for terms in (Terms(), Terms(0.1, 1e-4, 30.0)):
        for wants in (False, True):
            yield lambda terms=terms, wants=wants: cross_entropy(
                torch.zeros(ROWS, VOCABULARY, dtype=dtype), targets, terms, wants_gradient=wants
            )
    layer = quantized(torch.ones(64, HIDDEN), torch.ones(64))
    for norm in (None, frozen):
        yield lambda norm=norm: int8_linear(torch.zeros(1, HIDDEN, dtype=dtype), layer, norm, 1e-6)


class Recorded:
    """Stands for a Triton program: what would start it is compiled instead, once for each set of arguments."""

    def __init__(self, program: Any, found: dict[str, dict[str, Any]], float_type: str) -> None:
        self.program, self.found, self.float_type = program, found, float_type

    def __getitem__(self, _grid: object) -> Callable[..., None]:
        return self.compile

    def compile(self, *args: Any, num_warps: int = 4, **named: Any) -> None:
        """Compile for these arguments, as Triton would specialise on them."""
        given = dict(zip(self.program.arg_names, args, strict=False)) | named
        constant = {
            parameter.name: given[parameter.name]
            for parameter in self.program.params
            if parameter.is_constexpr or (isinstance(given[parameter.name], int) and given[parameter.name] == 1)
        }
        signature = {name: "constexpr" if name in constant else self._type(value) for name, value in given.items()}
        even = {
            (number,): [["tt.divisibility", 16]]
            for number, (name, value) in enumerate(given.items())
            if name not in constant and _divisible(value)
        }
        name = f"{self.program.__module__.rpartition('.')[2]}.{self.program.__name__}"
        key = f"{name} {signature} {constant}"
        if key in self.found:
            return
        source = ASTSource(fn=self.program, signature=signature, constexprs=constant, attrs=even)
        compiled = triton.compile(source, target=HOPPER, options={"num_warps": num_warps})
        self.found[key] = {
            "name": name,
            "arguments": signature,
            "constant": constant,
            "shared": compiled.metadata.shared,
            **_assembled(compiled.asm["ptx"]),
        }

    def _type(self, value: Any) -> str:
        if isinstance(value, Tensor):
            return f"*{NAMES[value.dtype]}"
        return self.float_type if isinstance(value, float) else "i32"


def _divisible(value: Any) -> bool:
    return isinstance(value, Tensor) or (isinstance(value, int) and value % 16 == 0)


def _assembled(ptx: str) -> dict[str, Any]:
    """Registers a thread and bytes spilled, as the assembler says, and whether it computes in fp64 or reads 16 bytes at a time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.ptx"
        path.write_text(ptx, encoding="utf-8")
        command = [get_ptxas(90).path, "-v", "--gpu-name=sm_90a", str(path), "-o", str(Path(folder) / "program.cubin")]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stderr
    spilled = sum(int(number) for number in re.findall(r"(\d+) bytes spill", said))
    registers = max(int(number) for number in re.findall(r"Used (\d+) registers", said))
    precise = [
        line.strip() for line in ptx.splitlines() if re.search(r"\b(add|sub|mul|fma|div|rcp|ex2|max|min)\S*\.f64", line)
    ]
    return {"registers": registers, "spilled": spilled, "fp64": precise, "wide": "ld.global.v4" in ptx}


def main() -> None:
    """Compile all, print a line each."""
    tile.runs_on = lambda x: x.dtype in tile.FORMATS
    found: dict[str, dict[str, Any]] = {}
    started = [(module, name) for module in MODULES for name in vars(module) if name.endswith("_program")]
    programs = {(module, name): getattr(module, name) for module, name in started}
    for float_type, dtypes in (("fp32", (torch.bfloat16, torch.float16, torch.float32)), ("fp64", (torch.bfloat16,))):
        for (module, name), program in programs.items():
            setattr(module, name, Recorded(program, found, float_type))
        for dtype in dtypes:
            for run in operations(dtype):
                run()
    Recorded(tile._count_up, found, "fp32").compile(torch.zeros(1))
    for facts in found.values():
        sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
