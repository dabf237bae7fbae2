"""How many floating-point operations a second this machine can do at best: independent vector FMAs, nothing else."""

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from statistics import median
from time import perf_counter, sleep

import llvmlite.binding as llvm
from llvmlite import ir

from engine.timing import REST

ACCUMULATORS = {16: 20, 8: 12, 4: 24}
"""Lanes of a register -> chains of FMAs: more than latency times units, fewer than registers."""
TURNS = 2_000_000


def peak(threads: int, rounds: int = 7) -> float:
    """Floating-point operations a second: the median of rounds of some 40 ms on all threads at once."""
    lanes = _lanes()
    flops = 2 * lanes * ACCUMULATORS[lanes] * TURNS * threads
    call = _kernel()
    with ThreadPoolExecutor(threads) as pool:  # ctypes lets go of the interpreter's lock during a call

        def seconds() -> float:
            start = perf_counter()
            list(pool.map(call, [TURNS] * threads))
            return perf_counter() - start

        sleep(REST)
        seconds()
        return flops / median(seconds() for _ in range(rounds))


def _lanes() -> int:
    """f32 numbers in the widest register."""
    features = llvm.get_host_cpu_features()
    return 16 if features.get("avx512f") else 8 if features.get("avx2") else 4


@cache
def _kernel() -> Callable[[int], float]:
    """The machine code, ready to call with a number of turns."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3
    )
    lanes = _lanes()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(_source(lanes, ACCUMULATORS[lanes])), machine)
    engine.finalize_object()
    call = ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_int64)(engine.get_function_address("peak"))
    _kept.append(engine)
    return call


_kept: list[llvm.ExecutionEngine] = []  # machine code lives as long as its engine


def _source(lanes: int, accumulators: int) -> str:
    """A loop of `accumulator = accumulator * half + half`, as many of them as there are chains."""
    module = ir.Module()
    module.triple = llvm.get_default_triple()
    vector, count = ir.VectorType(ir.FloatType(), lanes), ir.IntType(64)
    fma = ir.Function(module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{lanes}f32")
    function = ir.Function(module, ir.FunctionType(ir.FloatType(), [count]), "peak")
    start, body, end = (function.append_basic_block(name) for name in ("start", "body", "end"))
    ir.IRBuilder(start).branch(body)
    build = ir.IRBuilder(body)
    half = ir.Constant(vector, [0.5] * lanes)
    turn = build.phi(count)
    chains = [build.phi(vector) for _ in range(accumulators)]
    after = [build.call(fma, [chain, half, half]) for chain in chains]
    following = build.add(turn, count(1))
    starts = [ir.Constant(vector, [float(number)] * lanes) for number in range(accumulators)]  # no two alike
    for phi, first, then in zip([turn, *chains], [count(0), *starts], [following, *after], strict=True):
        phi.add_incoming(first, start)
        phi.add_incoming(then, body)
    build.cbranch(build.icmp_signed("<", following, function.args[0]), body, end)
    build = ir.IRBuilder(end)
    total = after[0]
    for chain in after[1:]:
        total = build.fadd(total, chain)
    build.ret(build.extract_element(total, ir.IntType(32)(0)))
    return str(module)
