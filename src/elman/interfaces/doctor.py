"""What `elman doctor` tells: versions, processor, and what is missing."""

import os
import platform
import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import torch

from elman.engine import kernel_facts

OURS = ("dev", "docs", "peers")
"""Extras of those who work on Elman itself."""
BF16 = ("avx512_bf16", "amx_bf16", "bf16")
"""Instructions that make `--precision bf16` worth its rounding, as torch calls them."""


def examine() -> dict[str, Any]:
    """Facts by name: versions as text, counts as numbers, what is there as true."""
    return {
        "elman": version("elman"),
        "python": platform.python_version(),
        **{name: _version(library) for name, library in _libraries(requires("elman") or ()).items()},
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


def _libraries(requirements: Iterable[str]) -> dict[str, str]:
    """What a package needs, by what it is called here: what everybody needs, then what an extra brings.

    >>> _libraries(["numpy>=2.0", "av>=14.0; extra == 'video'", "ruff>=0.12; extra == 'dev'"])
    {'numpy': 'numpy', 'av, extra video': 'av'}
    """
    always: dict[str, str] = {}
    extras: dict[str, str] = {}
    for line in requirements:
        library = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        extra = re.search(r"""extra\s*==\s*['"]([\w-]+)""", line)
        if extra is None:
            always[library] = library
        elif extra[1] not in OURS:
            extras[f"{library}, extra {extra[1]}"] = library
    return always | extras


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
