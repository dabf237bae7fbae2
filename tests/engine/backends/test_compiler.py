"""Kernels for other processors: assembled for each, and run with narrower vectors on this one."""

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from elman.engine import Cell
from elman.engine.backends.llvm.compiler import assembled, optimised
from elman.engine.backends.llvm.kernel import kernel_text
from elman.engine.backends.llvm.library import library_text
from elman.engine.backends.llvm.target import Target
from elman.engine.capture import capture
from elman.engine.phases import Plan
from elman.engine.plan import plan
from elman.engine.step import translate
from elman.layers import LSTMCell

from ..cells.layer_norm_gru import LayerNormGRU

TARGETS = {
    "AVX-512": (Target("x86_64-unknown-linux-gnu", "skylake-avx512", "", 64), r"vfmadd\w+p[sd]\b.*%zmm"),
    "AVX2": (Target("x86_64-unknown-linux-gnu", "haswell", "", 32), r"vfmadd\w+p[sd]\b.*%ymm"),
    "NEON, Apple": (Target("aarch64-apple-darwin", "apple-m1", "", 16), r"fmla\S*\s+v\d+"),
    "NEON, Linux": (Target("aarch64-unknown-linux-gnu", "neoverse-n1", "", 16), r"fmla\S*\s+v\d+"),
}
DTYPES = {"f32": torch.float32, "f64": torch.float64}


@pytest.fixture(scope="module", params=DTYPES)
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    return DTYPES[request.param]


@pytest.fixture(scope="module", params=[LSTMCell, LayerNormGRU])
def planned(request: pytest.FixtureRequest, dtype: torch.dtype) -> Plan:
    cell: Cell = request.param(3, 5).to(dtype)
    return plan(translate(capture(cell, dtype), dtype))


@pytest.mark.parametrize("name", TARGETS)
def test_kernels_assemble_with_the_vectors_of_the_target(name: str, planned: Plan, dtype: torch.dtype) -> None:
    target, product = TARGETS[name]
    module, machine = optimised(kernel_text(planned.forward, dtype, target).text, target)
    assert re.search(product, machine.emit_assembly(module))
    assert len(assembled(kernel_text(planned.backward, dtype, target).text, target)) > 1000


@pytest.mark.parametrize("name", TARGETS)
def test_what_all_cells_share_assembles(name: str, dtype: torch.dtype) -> None:
    target, _ = TARGETS[name]
    assert len(assembled(library_text(dtype, target), target)) > 1000


@pytest.mark.skipif(platform.machine() != "x86_64", reason="a processor for x86 cannot be played here")
def test_narrower_vectors_give_the_numbers_of_eager() -> None:
    program = Path(__file__).with_name("narrow.py")
    words = [sys.executable, str(program), "haswell", "avx512", "amx"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "32\n"
