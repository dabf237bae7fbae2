"""Functions on vectors of numbers, from arithmetic alone.

exp: x = n ln 2 + r with |r| <= ln 2 / 2; e^r by its series, cut where it is exact to the last bit; 2^n through the
bits of the exponent. tanh and sigmoid come from exp; tanh from e^x - 1, so that it is exact to the last bits near 0.
log: x = m 2^e with m around 1; log m = 2 artanh((m - 1) / (m + 1)) by its series. What is rare goes to the machine's
mathematical library, lane by lane. NaN goes through everywhere: clamping is by compare and select.
"""

from collections.abc import Sequence
from math import factorial, log

import torch

from elman.engine.backends.llvm.text import Value, Writer

LN2 = log(2.0)
HIGH = {torch.float32: 0.693359375, torch.float64: 0.693147180369123816490}
"""ln 2 with few bits, so that a multiple of it is exact; the rest is what is missing."""
REST = {torch.float32: -2.12194440054690583e-4, torch.float64: 1.90821492927058770002e-10}
MAGIC = {torch.float32: 12582912.0, torch.float64: 6755399441055744.0}
"""Adding it rounds to a whole number, which then stands in the lowest bits."""
SERIES = {
    torch.float32: tuple(1 / factorial(k) for k in range(2, 8)),
    torch.float64: tuple(1 / factorial(k) for k in range(2, 14)),
}
"""Of (e^r - 1 - r) / r^2: the next term is below half a last bit. In f32 a polynomial fitted by Remez' method does with
one term less, but its error, 1.4e-8, is seen in gradients."""
LOG_TERMS = {torch.float32: 5, torch.float64: 11}
LARGEST = {torch.float32: 88.0, torch.float64: 709.0}
BEYOND = {torch.float32: 88.8, torch.float64: 709.9}
"""Where the power's exponent has just become that of infinity."""
EXPONENT = {torch.float32: (23, 127), torch.float64: (52, 1023)}
"""Where the exponent's bits start, and what stands for 0."""


class Maths:
    """The functions that operations are spelled with."""

    def __init__(self, writer: Writer) -> None:
        self.w = writer

    def where(self, condition: Value, yes: object, no: object) -> Value:
        w = self.w
        condition = self.true(condition)
        yes, no = self._same_kind(yes, no)
        kind = w.type(yes.kind)
        return w.emit(f"select {w.type('truth')} {condition.name}, {kind} {yes.name}, {kind} {no.name}", yes.kind)

    def _same_kind(self, yes: object, no: object) -> tuple[Value, Value]:
        pair = (self.w.value(yes), self.w.value(no))
        if {each.kind for each in pair} == {"truth", "number"}:
            return self.number(pair[0]), self.number(pair[1])
        return pair

    def true(self, a: Value) -> Value:
        """As a truth value."""
        return a if a.kind == "truth" else a != 0

    def number(self, a: Value) -> Value:
        """As a number."""
        return a if a.kind == "number" else self.w.emit(f"uitofp {self.w.type('truth')} {a.name} to {self.w.type()}")

    def maximum(self, a: Value, b: Value) -> Value:
        return self.where(a != a, a, self.where(a < b, b, self.where(b != b, b, a)))

    def minimum(self, a: Value, b: Value) -> Value:
        return self.where(a != a, a, self.where(a > b, b, self.where(b != b, b, a)))

    def sqrt(self, a: Value) -> Value:
        return self.w.intrinsic("sqrt", a)

    def abs(self, a: Value) -> Value:
        return self.w.intrinsic("fabs", a)

    def floor(self, a: Value) -> Value:
        return self.w.intrinsic("floor", a)

    def round(self, a: Value) -> Value:
        return self.w.intrinsic("roundeven", a)

    def fma(self, a: Value, b: object, c: object) -> Value:
        return self.w.intrinsic("fma", a, self.w.value(b), self.w.value(c))

    def clamp(self, a: Value, low: float, high: float) -> Value:
        """Between two numbers; NaN stays."""
        a = self.where(a < low, low, a)
        return self.where(a > high, high, a)

    def _series(self, r: Value, coefficients: Sequence[float]) -> Value:
        """c0 + c1 r + c2 r^2 + ..."""
        total = self.w.value(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            total = self.fma(total, r, coefficient)
        return total

    def _reduced(self, a: Value, factor: int = 1) -> tuple[Value, Value]:
        """n in the lowest bits of a number, and r, for e^(factor a); the factor is -1, 1 or 2."""
        dtype = self.w.dtype
        shifted = self.fma(a, factor / LN2, MAGIC[dtype])
        n = shifted - MAGIC[dtype]
        a = -a if factor == -1 else a if factor == 1 else a + a
        r = self.fma(n, -HIGH[dtype], a)
        return shifted, self.fma(n, -REST[dtype], r)

    def _whole(self, shifted: Value) -> Value:
        """The bits in whose lowest n stands."""
        return self.w.emit(f"bitcast {self.w.type()} {shifted.name} to {self.w.type('whole')}", "whole")

    def _on_wholes(self, op: str, a: Value, b: Value) -> Value:
        return self.w.emit(f"{op} {self.w.type('whole')} {a.name}, {b.name}", "whole")

    def _power(self, n: Value) -> Value:
        """2^n, for a whole number in the lowest bits."""
        w = self.w
        place, zero = EXPONENT[w.dtype]
        bits = self._on_wholes("shl", n, w.whole(place))
        bits = self._on_wholes("add", bits, w.whole(zero << place))
        return w.emit(f"bitcast {w.type('whole')} {bits.name} to {w.type()}")

    def _bits(self, number: float) -> int:
        return int(torch.tensor(number, dtype=self.w.dtype).view(torch.int32 if self.w.bits == 32 else torch.int64))

    def _exp_series(self, r: Value) -> Value:
        """(e^r - 1 - r) / r^2."""
        return self._series(r, SERIES[self.w.dtype])

    def exp(self, a: Value) -> Value:
        """Through two halves of the power, so that it reaches infinity, and zero through the smallest numbers."""
        wide = LARGEST[self.w.dtype] * 1.25
        shifted, r = self._reduced(self.clamp(a, -wide, wide))
        e = self.fma(self._exp_series(r) * r, r, r) + 1
        n = self._on_wholes("sub", self._whole(shifted), self.w.whole(self._bits(MAGIC[self.w.dtype])))
        half = self._on_wholes("ashr", n, self.w.whole(1))
        return e * self._power(half) * self._power(self._on_wholes("sub", n, half))

    def _expm1_of(self, shifted: Value, r: Value) -> Value:
        """e^a - 1 for a = n ln 2 + r between -LARGEST and LARGEST."""
        power = self._power(self._whole(shifted))
        less = self.fma(self._exp_series(r) * r, r, r)
        return self.fma(less, power, power - 1)

    def expm1(self, a: Value) -> Value:
        limit = LARGEST[self.w.dtype]
        low = self.where(a < -limit, -limit, a)
        return self.where(low > limit, self.exp(a), self._expm1_of(*self._reduced(self.where(low > limit, limit, low))))

    def sigmoid(self, a: Value) -> Value:
        """1 / (1 + e^-a)."""
        a = self.clamp(a, -BEYOND[self.w.dtype], LARGEST[self.w.dtype])
        shifted, r = self._reduced(a, -1)
        e = self.fma(self._exp_series(r) * r, r, r) + 1
        return 1 / self.fma(e, self._power(self._whole(shifted)), 1)

    def tanh(self, a: Value) -> Value:
        """(e^2a - 1) / (e^2a + 1)."""
        shifted, r = self._reduced(self.clamp(a, -20.0, 20.0), 2)
        less = self._expm1_of(shifted, r)
        return less / (less + 2)

    def log(self, a: Value) -> Value:
        w = self.w
        tiny = {torch.float32: 1.17549435e-38, torch.float64: 2.2250738585072014e-308}[w.dtype]
        boost = {torch.float32: 23, torch.float64: 52}[w.dtype]
        small = a < tiny
        scaled = self.where(small, a * 2.0**boost, a)
        exponent, mantissa = self._taken_apart(scaled)
        exponent = exponent - self.where(small, float(boost), 0.0)
        s = (mantissa - 1) / (mantissa + 1)
        squared = s * s
        series = self._series(squared, [2 / (2 * k + 1) for k in range(LOG_TERMS[w.dtype])])
        result = self.fma(exponent, REST[w.dtype], series * s)
        result = self.fma(exponent, HIGH[w.dtype], result)
        result = self.where(a == float("inf"), a, result)
        result = self.where(a == 0, float("-inf"), result)
        return self.where(a >= 0, result, float("nan"))

    def _taken_apart(self, a: Value) -> tuple[Value, Value]:
        """Exponent as a number, and mantissa between sqrt(1/2) and sqrt(2)."""
        w = self.w
        place, _ = EXPONENT[w.dtype]
        whole = w.type("whole")
        bits = w.emit(f"bitcast {w.type()} {a.name} to {whole}", "whole")
        offset = self._bits(0.7071067811865476)
        moved = w.emit(f"sub {whole} {bits.name}, {w.whole(offset).name}", "whole")
        exponent = w.emit(f"ashr {whole} {moved.name}, {w.whole(place).name}", "whole")
        shift = w.emit(f"shl {whole} {exponent.name}, {w.whole(place).name}", "whole")
        rest = w.emit(f"sub {whole} {bits.name}, {shift.name}", "whole")
        mantissa = w.emit(f"bitcast {whole} {rest.name} to {w.type()}")
        return w.emit(f"sitofp {whole} {exponent.name} to {w.type()}"), mantissa

    def log1p(self, a: Value) -> Value:
        """log(1 + a), with what the addition rounded away put back."""
        u = a + 1
        lost = (a - (u - 1)) / u
        exact = self.log(u) + self.where(self.abs(lost) < 1, lost, 0.0)
        return self.where(self.abs(a) < self._smallest(), a, exact)

    def _smallest(self) -> float:
        return torch.finfo(self.w.dtype).eps / 2

    def library(self, name: str, *arguments: object) -> Value:
        """A function of the mathematical library, lane by lane."""
        w = self.w
        full = name + ("f" if w.dtype == torch.float32 else "")
        values = [w.value(each) for each in arguments]
        w.declared.add(f"declare {w.scalar} @{full}({', '.join([w.scalar] * len(values))})")
        result = "poison"
        for lane in range(w.lanes):
            inputs = [w.assign(f"extractelement {w.type()} {each.name}, i64 {lane}") for each in values]
            listed = ", ".join(f"{w.scalar} {each}" for each in inputs)
            one = w.assign(f"call {w.scalar} @{full}({listed})")
            result = w.assign(f"insertelement {w.type()} {result}, {w.scalar} {one}, i64 {lane}")
        return Value(w, result)
