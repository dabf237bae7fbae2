"""The machine that kernels are made for: its processor, and how wide its vectors are."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

WIDTHS = {"avx512f": 64, "avx2": 32, "neon": 16}
"""Bytes in a vector, by feature, the widest first."""
SUMS = {64: 6, 32: 3, 16: 6}
"""Vectors of weights that a tile of four rows takes at once, so that its sums stay in registers."""


@dataclass(frozen=True)
class Target:
    """What LLVM must know.

    Args:
        triple: Architecture and system.
        cpu: LLVM's name of the processor.
        features: What it can do beside, in LLVM's spelling.
        width: Bytes in a vector.
    """

    triple: str
    cpu: str
    features: str
    width: int

    def lanes(self, dtype: torch.dtype) -> int:
        """Numbers in a vector."""
        return self.width // dtype.itemsize

    @property
    def sums(self) -> int:
        """Vectors of weights that a tile takes at once."""
        return SUMS[self.width]

    def machine(self) -> Any:
        """LLVM's code generator for it."""
        import llvmlite.binding as llvm

        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
        llvm.initialize_native_asmparser()
        options = {"cpu": self.cpu, "features": self.features, "opt": 2, "codemodel": "jitdefault", "jit": True}
        return llvm.Target.from_triple(self.triple).create_target_machine(**options)


@lru_cache(maxsize=1)
def host() -> Target:
    """This machine."""
    import llvmlite.binding as llvm

    known = llvm.get_host_cpu_features()
    triple = llvm.get_process_triple()
    found = [width for feature, width in WIDTHS.items() if known.get(feature)]
    width = found[0] if found else 16
    if width == 64:
        known["prefer-256-bit"] = False
    return Target(triple, llvm.get_host_cpu_name(), known.flatten(), width)
