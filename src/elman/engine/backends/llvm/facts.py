"""What kernels find on this machine: vectors, threads, and a place for their code."""

import torch

from elman.engine.backends.llvm import team
from elman.engine.backends.llvm.cache import LIMIT, VARIABLE, folder
from elman.engine.backends.llvm.target import host

NAMES = {64: "AVX-512", 32: "AVX2"}


def kernel_facts() -> dict[str, str]:
    """Facts by name, for people."""
    import llvmlite.binding as llvm

    target, home = host(), folder()
    arm = target.triple.startswith(("aarch64", "arm64"))
    vectors = "NEON" if arm else NAMES.get(target.width, "SSE")
    return {
        "kernels": f"LLVM {'.'.join(map(str, llvm.llvm_version_info))} for {target.cpu}, "
        f"{vectors}, vectors of {target.width} bytes",
        "threads of kernels": f"{torch.get_num_threads()}, on PyTorch's own OpenMP team"
        if team.team()
        else "one thread: no GNU OpenMP (libgomp) lies beside PyTorch",
        "kernel cache": f"{home}, at most {LIMIT >> 20} MB"
        if home
        else f"none: no folder can be made; set {VARIABLE} to one",
    }
