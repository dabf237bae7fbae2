"""Kernels for the processor, through LLVM."""

from elman.engine.backends.llvm.backend import LLVM, kinds
from elman.engine.backends.llvm.facts import kernel_facts

__all__ = ["LLVM", "kernel_facts", "kinds"]
