"""Arithmetic with a form of its own, and values that are the same everywhere."""

from typing import Any

import torch
from torch.fx import Node as Call

from elman.engine.capture import ROWS, of_rows
from elman.engine.translate import BATCH, Group, Seen, Translator, name_of, rule


@rule(
    "empty",
    "empty_like",
    "empty_permuted",
    "new_empty",
    "full",
    "zeros",
    "ones",
    "full_like",
    "zeros_like",
    "ones_like",
    "scalar_tensor",
    "new_zeros",
    "new_full",
)
def _full(t: Translator, call: Call, *arguments: Any, **_: Any) -> Seen:
    name = name_of(call)
    value = {"ones": 1, "ones_like": 1}.get(name, 0 if name.startswith(("empty", "zeros", "new_")) else None)
    value = None if name == "new_full" else value
    if value is None:
        value = arguments[{"scalar_tensor": 0, "new_full": 2}.get(name, 1)]
    tensor = call.meta["val"]
    number = t.graph.constant(bool(value) if tensor.dtype == torch.bool else float(value))
    shape: list[int] = []
    groups: list[Group] = []
    for size in tensor.shape:
        beside = size // ROWS if of_rows(size) else size
        own = (len(shape),) if not of_rows(size) or beside > 1 else ()
        groups.append((BATCH, *own) if of_rows(size) else own)
        shape.extend((beside,) if own else ())
    return Seen(t.graph.expand(number, shape), tuple(groups))


@rule("add", "sub", "rsub")
def _add(t: Translator, call: Call, a: Any, b: Any, alpha: float = 1) -> Seen:
    name = name_of(call)
    if name == "rsub":
        name, a, b = "sub", b, a
    if alpha == 1:
        return t.elementwise(name, a, b)
    scaled = t.elementwise("mul", b, float(alpha))
    return t.elementwise(name, t.seen(a), scaled)


@rule("div")
def _div(t: Translator, call: Call, a: Any, b: Any, rounding_mode: str | None = None) -> Seen:
    quotient = t.elementwise("div", a, b)
    return quotient if rounding_mode is None else t.elementwise(rounding_mode, quotient)


@rule("addcmul", "addcdiv")
def _addc(t: Translator, call: Call, a: Any, b: Any, c: Any, value: float = 1) -> Seen:
    joined = t.elementwise("mul" if name_of(call) == "addcmul" else "div", b, c)
    return t.elementwise("add", a, t.elementwise("mul", joined, float(value)))


@rule("round")
def _round(t: Translator, call: Call, a: Any, decimals: int = 0) -> Seen:
    scale = 10.0**decimals
    return t.elementwise("div", t.elementwise("round", t.elementwise("mul", a, scale)), scale)


@rule("clamp")
def _clamp(t: Translator, call: Call, x: Any, low: Any = None, high: Any = None) -> Seen:
    seen = t.seen(x)
    if low is not None:
        seen = t.elementwise("clamp_min", seen, t.seen(low))
    if high is not None:
        seen = t.elementwise("clamp_max", seen, t.seen(high))
    return seen


@rule("pow")
def _pow(t: Translator, call: Call, a: Any, b: Any) -> Seen:
    seen = t.seen(a)
    if not isinstance(b, int | float):
        return t.elementwise("pow", a, b)
    if b == 0.5:
        return t.elementwise("sqrt", a)
    if b == -0.5:
        return t.elementwise("rsqrt", a)
    if not float(b).is_integer() or not 1 <= abs(b) <= 4:
        return t.elementwise("pow", a, float(b))
    result = seen
    for _ in range(int(abs(b)) - 1):
        result = t.elementwise("mul", result, seen)
    return result if b > 0 else t.elementwise("reciprocal", result)


@rule("gelu")
def _gelu(t: Translator, call: Call, x: Any, approximate: str = "none") -> Seen:
    if approximate == "none":
        return t.elementwise("gelu", x)
    seen = t.seen(x)
    cubed = t.elementwise("mul", seen, t.elementwise("mul", seen, seen))
    inner = t.elementwise("add", seen, t.elementwise("mul", cubed, t.seen(0.044715)))
    tanh = t.elementwise("tanh", t.elementwise("mul", inner, t.seen(0.7978845608028654)))
    half = t.elementwise("mul", seen, t.seen(0.5))
    return t.elementwise("mul", half, t.elementwise("add", tanh, t.seen(1.0)))
