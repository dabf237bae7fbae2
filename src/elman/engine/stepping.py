"""One step at a time, without PyTorch in between: for streams, samplers and servers.

Kernels read and write memory that was laid out once; what cannot be fused goes through `scan`, a step a call.

Key: B batch, I input size, O output size.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, TypeVar

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor, from_numpy, nn

from elman.engine.backends.base import Sequence as Run
from elman.engine.backends.llvm import LLVM, kinds
from elman.engine.backends.llvm.backend import DTYPES, prepared
from elman.engine.backends.llvm.stepper import Link, Stepper
from elman.engine.cell import Cell, Context, State, as_sizes
from elman.engine.dispatch import BACKENDS, _forced, use_backend
from elman.engine.scan import scan
from elman.engine.stand_in import with_parameters
from elman.errors import OptionError, Refused, ShapeError

Array = TypeVar("Array", ndarray, Tensor)


def _none() -> Mapping[str, Tensor]:
    return {}


@dataclass(frozen=True)
class Level:
    """One of the cells that a step goes through.

    Args:
        cell: The cell.
        parameters: Gives what stands in for the cell's own parameters, by name.
        residual: Add the input to the output, where their widths agree.
    """

    cell: Cell
    parameters: Callable[[], Mapping[str, Tensor]] = _none
    residual: bool = False


class Steps:
    """Cells on top of each other, one step a call: in evaluation mode, without gradients, for one caller at a time.

    Args:
        owner: The module whose parameters and buffers the cells use; a change of one is seen at the next step.
        levels: The cells, the lowest first.
        batch: B.
        context: Tensors (B, ...) that every step of every cell sees.
        frozen: Nothing will change: do not look.

    Attributes:
        batch: B.
        backend: `llvm`, or `eager` where steps run as the cell is written.
        reason: Why.

    Raises:
        OptionError: The batch is no whole number from 1.
        Refused: `use_backend` asked for kernels, and a cell has none.
    """

    def __init__(
        self, owner: nn.Module, levels: Sequence[Level], batch: int = 1, context: Context = (), *, frozen: bool = False
    ) -> None:
        self._owner, self._levels, self._frozen = owner, tuple(levels), frozen
        self.restart(batch, context)

    def __call__(self, x: Array) -> Array:
        """Take a step.

        Args:
            x: (B, I), or (I,) where B is 1: a NumPy array or a tensor.

        Returns:
            (B, O), or (O,): of the same kind, in memory of its own.

        Raises:
            ShapeError: The input does not fit.
        """
        # every line here is paid at every step: a plain loop and exact types cost least
        known, versions = self._known, self._versions
        for number, tensor in enumerate(self._now()):
            if tensor is not known[number] or tensor._version != versions[number]:
                self.refresh()
                break
        if self._several and self._machine.stale:  # pyright: ignore[reportOptionalMemberAccess]
            self.refresh()
        if type(x) is ndarray:
            views = self._views.get(x.shape)
            if views is not None and x.dtype is self._number:
                views[0][...] = x
                turn = self._turn
                self._run(self._calls[turn])
                self._turn = 1 - turn
                return views[1].copy()  # pyright: ignore[reportReturnType]
        elif type(x) is Tensor:
            views = self._views.get(x.shape)
            if views is not None and x.dtype is self._dtype and x.is_cpu and x.is_contiguous():
                self._source[0] = x.data_ptr()
                turn = self._turn
                self._run(self._fetching[turn])
                self._turn = 1 - turn
                return from_numpy(views[1].copy())  # pyright: ignore[reportReturnType]
        return self._unusual(x)

    def restart(self, batch: int | None = None, context: Context | None = None) -> None:
        """Go back to the initial states; for another number of rows, or with other context, if they are given.

        Raises:
            OptionError: The batch is no whole number from 1.
            ShapeError: The context does not have an entry for each row.
        """
        batch = self.batch if batch is None else batch
        if not isinstance(batch, int) or batch < 1:
            raise OptionError(f"batch expects a whole number of at least 1; received {batch!r}")
        again = context is None and batch == getattr(self, "batch", None)
        context = self._context if context is None else context
        for number, tensor in enumerate(context):
            if not isinstance(tensor, Tensor) or tensor.shape[:1] != (batch,):
                received = tuple(tensor.shape) if isinstance(tensor, Tensor) else type(tensor).__name__
                raise ShapeError(f"context {number} expects a tensor ({batch}, ...); received {received}")
        self.batch, self._context = batch, tuple(context)
        with _aside(self._owner):
            if not again:
                self._build()
            self.states = [_initial_state(level, batch) for level in self._levels]

    def refresh(self) -> None:
        """Look at the cells anew: at parameters written through `.data`, submodules, attributes. States stay."""
        states = self.states
        with _aside(self._owner):
            self._build()
            self.states = states

    @property
    def states(self) -> list[State]:
        """The state of each cell, each tensor (B, ...); a copy."""
        if self._machine is None:
            return [tuple(tensor.clone() for tensor in state) for state in self._plain_states]
        return [tuple(halves[self._turn].clone() for halves in state) for state in self._machine.states]

    @states.setter
    def states(self, states: Sequence[State]) -> None:
        fitting = [self._fitting(level.cell, state) for level, state in zip(self._levels, states, strict=True)]
        if self._machine is None:
            self._plain_states = [tuple(tensor.to(self._device) for tensor in state) for state in fitting]
            return
        for held, state in zip(self._machine.states, fitting, strict=True):
            for halves, tensor in zip(held, state, strict=True):
                halves[self._turn].copy_(tensor)

    def _fitting(self, cell: Cell, state: State) -> State:
        shapes = [as_sizes(shape) for shape in cell.state_shapes]
        wanted = [(self.batch, *shape) for shape in shapes]
        if isinstance(state, tuple | list) and all(isinstance(each, Tensor) for each in state):
            received = [tuple(each.shape) for each in state]
            if received == wanted or (self.batch == 1 and received == shapes):
                return tuple(
                    each.detach().to(self._dtype).clone().view(shape) for each, shape in zip(state, wanted, strict=True)
                )
        else:
            received = type(state).__name__
        raise ShapeError(f"the state of {type(cell).__name__} expects tensors {wanted} in a tuple; received {received}")

    # how steps run

    def _build(self) -> None:
        self._dtype, self._device = self._place()
        self._number = torch.empty(0, dtype=self._dtype).numpy().dtype if self._dtype != torch.bfloat16 else None
        self._machine: Stepper | None = None
        self._several = False
        self._views: dict[tuple[int, ...], tuple[ndarray, ndarray]] = {}
        self._turn = 0
        self.backend, self.reason = "eager", self._unsuited()
        if not self.reason:
            try:
                self._fuse()
                self.backend, self.reason = "llvm", "its step is fused into kernels"
            except Refused as refusal:
                if _forced.get() == "llvm":
                    raise
                self.reason = str(refusal)
        self._forced = _forced.get()
        self._watch()

    def _place(self) -> tuple[torch.dtype, torch.device]:
        """The dtype and device of the weights."""
        first = self._levels[0]
        weights = (*first.parameters().values(), *first.cell.parameters())
        weight = next((each for each in weights if each.is_floating_point()), torch.empty(0))
        return weight.dtype, weight.device

    def _unsuited(self) -> str:
        if _forced.get() == "eager":
            return "use_backend asked for it"
        if self._device.type != "cpu":
            return f"the weights are on {self._device.type}, and kernels are for the CPU"
        return "" if self._dtype in DTYPES else f"the weights are of {self._dtype}"

    def _fuse(self) -> None:
        links = [self._link(level) for level in self._levels]
        self._machine = machine = Stepper(links, self._levels[0].cell.input_size, self.batch)
        self._run, self._calls, self._several = machine.run, machine.calls, machine.threads > 1
        self._fetching, self._source = machine.fetching, machine.source
        x, y = machine.x.numpy(), machine.output.numpy()
        self._views = {x.shape: (x, y)} | ({x[0].shape: (x[0], y[0])} if self.batch == 1 else {})

    def _link(self, level: Level) -> Link:
        kernels, cell = BACKENDS["llvm"], level.cell
        assert isinstance(kernels, LLVM)
        context = (*cell.draw_context(self.batch), *self._context)
        parameters = {**level.parameters(), **cell.prepare()}
        empty = torch.empty(0, self.batch, cell.input_size, dtype=self._dtype)
        run = Run(x=empty, state=None, context=context, parameters=parameters)
        program = kernels.program(cell, self._dtype, kinds(context))
        if program.brief.draws:
            raise Refused("the step draws at random")
        program = kernels.check(program, cell, run, keep=False)
        return Link(program, prepared(program.brief.names, program.prelude, cell, run), context, level.residual)

    def _watch(self) -> None:
        """Remember which tensors the parameters and buffers are, and how often each was written to."""
        groups = [group for module in self._owner.modules() for group in (module._parameters, module._buffers) if group]
        tensors = _present(groups)
        whole = len(groups) == 1 and len(groups[0]) == len(tensors)
        self._now: Callable[[], Iterable[Any]] = groups[0].values if whole else partial(_present, groups)
        if self._frozen or self._machine is None or any(tensor.is_inference() for tensor in tensors):
            self._now = tuple  # nothing to look at, or nothing that counts its changes
        watched: list[Any] = list(self._now())
        self._versions = [*(tensor._version for tensor in watched), None]
        self._known = [*watched, None]  # the end is like no tensor, so that one more is seen

    # steps that are not as usual

    def _unusual(self, x: Array) -> Array:
        if self._place() != (self._dtype, self._device):  # the whole layer went elsewhere, so the input did, too
            self.refresh()
        given = self._checked(x)
        if self._machine is None:
            y = self._plain(given)
        else:
            self._machine.x.copy_(given)
            self._run(self._calls[self._turn])
            self._turn = 1 - self._turn
            y = self._machine.output.clone()
        y = y.view(*x.shape[:-1], y.shape[-1])
        return y.cpu().numpy() if isinstance(x, ndarray) else y  # pyright: ignore[reportReturnType]

    def _plain(self, x: Tensor) -> Tensor:
        """As the cells are written."""
        after: list[State] = []
        with _aside(self._owner), use_backend("eager") if self._forced == "eager" else nullcontext():
            for level, state in zip(self._levels, self._plain_states, strict=True):
                y, state = scan(level.cell, x[None], state, context=self._context, parameters=level.parameters())
                x = x + y[0] if level.residual and x.shape == y[0].shape else y[0]
                after.append(state)
        self._plain_states = after
        return x

    def _checked(self, x: Array) -> Tensor:
        """The input as (B, I), where the weights are."""
        wanted = (self.batch, self._levels[0].cell.input_size)
        if not isinstance(x, ndarray | Tensor):
            raise ShapeError(f"a step expects a NumPy array or a tensor {wanted}; received a {type(x).__name__}")
        if tuple(x.shape) != wanted and (self.batch != 1 or tuple(x.shape) != wanted[1:]):
            raise ShapeError(f"a step expects an input of shape {wanted}; received {tuple(x.shape)}")
        if x.dtype != (self._number if isinstance(x, ndarray) else self._dtype):
            raise ShapeError(f"a step expects an input of {self._dtype}, as the weights are; received {x.dtype}")
        if isinstance(x, ndarray):
            return from_numpy(np.array(x, order="C", subok=False)).view(wanted).to(self._device)
        if x.device != self._device:
            raise ShapeError(f"a step expects an input on {self._device}, as the weights are; received {x.device}")
        return x.detach().reshape(wanted)


def _initial_state(level: Level, batch: int) -> State:
    parameters = level.parameters()
    return (with_parameters(level.cell, parameters) if parameters else level.cell).initial_state(batch)


def _present(groups: Sequence[Mapping[str, Tensor | None]]) -> list[Tensor]:
    return [tensor for tensor in chain.from_iterable(map(dict.values, groups)) if tensor is not None]  # pyright: ignore


@contextmanager
def _aside(module: nn.Module) -> Iterator[None]:
    """In evaluation mode and without gradients, whatever the caller's modes are."""
    training = [each for each in module.modules() if each.training]
    for each in training:
        each.training = False
    try:
        with torch.inference_mode(False), torch.no_grad():
            yield
    finally:
        for each in training:
            each.training = True
