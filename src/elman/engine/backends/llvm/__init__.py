"""Kernels for the processor, through LLVM."""

from elman.engine.backends.llvm.backend import LLVM, kinds

__all__ = ["LLVM", "kinds"]
