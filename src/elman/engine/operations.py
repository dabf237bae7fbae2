"""The elementwise operations that kernels know: one line each.

The name is PyTorch's (`aten::NAME`). A line spells the operation for any backend: `m` holds the backend's mathematics,
`a`, `b`, `c` are its values, which take part in arithmetic and comparisons. Numbers among the arguments of the
operation arrive as values too. To add an operation, add its line; its gradient needs one only if PyTorch's own rule
for it does not come apart into lines that stand here already.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Operation:
    """How to compute one number of the result from the numbers that it depends on."""

    spell: Callable[..., Any]
    costly: bool = False
    """Worth keeping rather than computing twice."""
    boolean: bool = False
    """Gives a truth value."""


def cheap(spell: Callable[..., Any]) -> Operation:
    """An operation of a few instructions."""
    return Operation(spell)


def costly(spell: Callable[..., Any]) -> Operation:
    """An operation of some ten instructions or more."""
    return Operation(spell, costly=True)


def truth(spell: Callable[..., Any]) -> Operation:
    """An operation that gives a truth value."""
    return Operation(spell, boolean=True)


def _remainder(m: Any, rest: Any, b: Any) -> Any:
    """What `fmod` leaves, with the sign of the divisor."""
    return m.where((rest != 0) & ((rest < 0) ^ (b < 0)), rest + b, rest)


OPERATIONS: dict[str, Operation] = {
    # arithmetic
    "add": cheap(lambda m, a, b: a + b),
    "sub": cheap(lambda m, a, b: a - b),
    "mul": cheap(lambda m, a, b: a * b),
    "div": cheap(lambda m, a, b: a / b),
    "neg": cheap(lambda m, a: -a),
    "reciprocal": cheap(lambda m, a: 1 / a),
    "square": cheap(lambda m, a: a * a),
    "sqrt": cheap(lambda m, a: m.sqrt(a)),
    "rsqrt": cheap(lambda m, a: 1 / m.sqrt(a)),
    "abs": cheap(lambda m, a: m.abs(a)),
    "sign": cheap(lambda m, a: m.where(a > 0, 1, m.where(a < 0, -1, 0))),
    "sgn": cheap(lambda m, a: m.where(a > 0, 1, m.where(a < 0, -1, 0))),
    "floor": cheap(lambda m, a: m.floor(a)),
    "ceil": cheap(lambda m, a: -m.floor(-a)),
    "round": cheap(lambda m, a: m.round(a)),
    "trunc": cheap(lambda m, a: m.where(a < 0, -m.floor(-a), m.floor(a))),
    "lerp": cheap(lambda m, a, b, c: a + c * (b - a)),
    "addcmul": cheap(lambda m, a, b, c: a + b * c),
    "addcdiv": cheap(lambda m, a, b, c: a + b / c),
    # choice; NaN in either argument goes through, as in PyTorch
    "where": cheap(lambda m, a, b, c: m.where(a, b, c)),
    "maximum": cheap(lambda m, a, b: m.maximum(a, b)),
    "minimum": cheap(lambda m, a, b: m.minimum(a, b)),
    "clamp_min": cheap(lambda m, a, b: m.where(a < b, b, m.where(b == b, a, b))),
    "clamp_max": cheap(lambda m, a, b: m.where(a > b, b, m.where(b == b, a, b))),
    "relu": cheap(lambda m, a: m.where(a <= 0, 0, a)),
    "leaky_relu": cheap(lambda m, a, b=0.01: m.where(a > 0, a, a * b)),
    "hardtanh": cheap(lambda m, a, b=-1.0, c=1.0: m.where(a < b, b, m.where(a > c, c, a))),
    "threshold_backward": cheap(lambda m, a, b, c: m.where(b <= c, 0, a)),
    # truth values
    "gt": truth(lambda m, a, b: a > b),
    "ge": truth(lambda m, a, b: a >= b),
    "lt": truth(lambda m, a, b: a < b),
    "le": truth(lambda m, a, b: a <= b),
    "eq": truth(lambda m, a, b: a == b),
    "ne": truth(lambda m, a, b: a != b),
    "isnan": truth(lambda m, a: a != a),
    "isinf": truth(lambda m, a: m.abs(a) == float("inf")),
    "logical_and": truth(lambda m, a, b: m.true(a) & m.true(b)),
    "logical_or": truth(lambda m, a, b: m.true(a) | m.true(b)),
    "logical_xor": truth(lambda m, a, b: m.true(a) ^ m.true(b)),
    "logical_not": truth(lambda m, a: ~m.true(a)),
    "bitwise_and": truth(lambda m, a, b: m.true(a) & m.true(b)),
    "bitwise_or": truth(lambda m, a, b: m.true(a) | m.true(b)),
    "bitwise_xor": truth(lambda m, a, b: m.true(a) ^ m.true(b)),
    "bitwise_not": truth(lambda m, a: ~m.true(a)),
    # exponentials and their kin
    "sigmoid": costly(lambda m, a: m.sigmoid(a)),
    "tanh": costly(lambda m, a: m.tanh(a)),
    "exp": costly(lambda m, a: m.exp(a)),
    "exp2": costly(lambda m, a: m.library("exp2", a)),
    "expm1": costly(lambda m, a: m.expm1(a)),
    "log": costly(lambda m, a: m.log(a)),
    "log2": costly(lambda m, a: m.log(a) * 1.4426950408889634),
    "log10": costly(lambda m, a: m.log(a) * 0.4342944819032518),
    "log1p": costly(lambda m, a: m.log1p(a)),
    "elu": costly(
        lambda m, a, alpha=1, scale=1, inner=1: m.where(a > 0, a * scale, m.expm1(a * inner) * alpha * scale)
    ),
    "sinh": costly(lambda m, a: (m.expm1(a) - m.expm1(-a)) / 2),
    "cosh": costly(lambda m, a: (m.exp(a) + m.exp(-a)) / 2),
    # by the machine's mathematical library, one number after the other
    "sin": costly(lambda m, a: m.library("sin", a)),
    "cos": costly(lambda m, a: m.library("cos", a)),
    "tan": costly(lambda m, a: m.library("tan", a)),
    "asin": costly(lambda m, a: m.library("asin", a)),
    "acos": costly(lambda m, a: m.library("acos", a)),
    "atan": costly(lambda m, a: m.library("atan", a)),
    "atan2": costly(lambda m, a, b: m.library("atan2", a, b)),
    "asinh": costly(lambda m, a: m.library("asinh", a)),
    "acosh": costly(lambda m, a: m.library("acosh", a)),
    "atanh": costly(lambda m, a: m.library("atanh", a)),
    "erf": costly(lambda m, a: m.library("erf", a)),
    "erfc": costly(lambda m, a: m.library("erfc", a)),
    "pow": costly(lambda m, a, b: m.library("pow", a, b)),
    "fmod": costly(lambda m, a, b: m.library("fmod", a, b)),
    "gelu": costly(lambda m, a: a * 0.5 * (m.library("erf", a * 0.7071067811865476) + 1)),
    "remainder": costly(lambda m, a, b: _remainder(m, m.library("fmod", a, b), b)),
}
