"""What `elman doctor` tells: versions, processor, and what is missing."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from elman.engine import kernel_facts

LIBRARIES = (
    "torch",
    "lightning",
    "tokenizers",
    "safetensors",
    "pydantic",
    "typer",
    "numpy",
    "matplotlib",
    "tensorboardX",
    "polars",
)
EXTRAS = {"translate": ("sacrebleu", "rouge-score", "num2words", "babel"), "video": ("av",)}
"""What some users need, and the libraries in it."""
BF16 = ("avx512_bf16", "amx_bf16", "bf16")
"""Instructions that make `--precision bf16` worth its rounding, as torch calls them."""


def examine() -> dict[str, Any]:
    """Facts by name: versions as text, counts as numbers, what is there as true."""
    return {
        "elman": version("elman"),
        "python": platform.python_version(),
        **{library: _version(library) for library in LIBRARIES},
        **{f"{library}, extra {extra}": _version(library) for extra, names in EXTRAS.items() for library in names},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads of torch": torch.get_num_threads(),
        "instruction set": torch.backends.cpu.get_cpu_capability(),
        "bfloat16 products": _multiplies_bf16(),
        "oneDNN": torch.backends.mkldnn.is_available(),
        "OpenMP": torch.backends.openmp.is_available(),
        "GPU": torch.cuda.is_available(),
        **kernel_facts(),
        "ELMAN_DATA": os.environ.get("ELMAN_DATA", "not set: recipes for published data need it"),
    }


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "missing"


def _multiplies_bf16() -> bool | str:
    if not hasattr(torch.cpu, "get_capabilities"):
        return "unknown, this torch is too old to say"
    found = torch.cpu.get_capabilities()
    return any(found.get(name) for name in BF16)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
