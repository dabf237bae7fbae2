"""Machine code from text, kept for the process."""

import ctypes
from typing import Any

from elman.engine.backends.llvm.target import Target, host

_engines: dict[str, Any] = {}


def optimised(text: str, target: Target) -> Any:
    """A module of LLVM, checked and optimised."""
    import llvmlite.binding as llvm

    machine = target.machine()
    module = llvm.parse_assembly(f'target triple = "{target.triple}"\n{text}\n!2 = !{{}}\n')
    module.data_layout = str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module, machine


def assembled(text: str, target: Target | None = None) -> bytes:
    """Object code for a target, this machine at first."""
    module, machine = optimised(text, target or host())
    return machine.emit_object(module)


def loaded(code: bytes, names: list[str]) -> dict[str, int]:
    """Addresses of functions in object code, ready to run."""
    import llvmlite.binding as llvm

    machine = host().machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines[f"{id(engine)}"] = engine
    return {name: engine.get_function_address(name) for name in names}


def function(address: int, *arguments: Any) -> Any:
    """A Python function that calls machine code; other threads of Python run meanwhile."""
    return ctypes.CFUNCTYPE(None, *arguments)(address)
