"""Elman's engine inside somebody's model: PyTorch's recurrent layers are swapped where they stand."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from elman.engine import Cell
from elman.errors import CellError
from elman.layers.drop_in import GRU, LSTM, RNN

DROP_INS: dict[type[nn.RNNBase], type[nn.RNNBase]] = {nn.LSTM: LSTM, nn.GRU: GRU, nn.RNN: RNN}
DTYPES = (torch.float32, torch.float64)


@dataclass(frozen=True)
class Acceleration:
    """What `accelerate` did; printed, it tells.

    Args:
        swapped: What each layer is now, by the name of its module; the model itself has the name "".
        left: Why each other recurrent layer or cell was left as it is, by name.
    """

    swapped: dict[str, str]
    left: dict[str, str]

    def __str__(self) -> str:
        lines = [f"{name or 'the model itself'}: now elman's {what}" for name, what in self.swapped.items()]
        lines += [f"{name or 'the model itself'}: left alone; {reason}" for name, reason in self.left.items()]
        return "\n".join(lines) or "nothing to swap: the model has no recurrent layer of torch.nn"


def accelerate(model: nn.Module) -> Acceleration:
    """Let Elman run the `nn.LSTM`, `nn.GRU` and `nn.RNN` inside a model, trained or not.

    The very same modules go on with another class, so everything that knows them stays right: parameters and the
    optimisers that hold them, names in `state_dict`, hooks, tied weights, device, dtype and mode. A second call finds
    nothing to do.

    Args:
        model: Any module; one of these layers itself, too.

    Returns:
        What was swapped, and what was left and why.

    Raises:
        CellError: It is no module.

    Example:
        >>> model = nn.ModuleDict({"encoder": nn.LSTM(3, 4), "decoder": nn.GRUCell(4, 4)})
        >>> print(accelerate(model))
        encoder: now elman's LSTM
        decoder: left alone; a GRUCell takes one step; Recurrent(cell) would run its loop over time, too
    """
    if not isinstance(model, nn.Module):
        raise CellError(f"accelerate expects a torch.nn.Module; received {type(model).__name__}")
    swapped: dict[str, str] = {}
    left: dict[str, str] = {}
    inside = {part for cell in model.modules() if isinstance(cell, Cell) for part in cell.modules()}
    for name, module in model.named_modules():
        if module in inside or isinstance(module, tuple(DROP_INS.values())):
            continue
        reason = _reason(module)
        if reason:
            left[name] = reason
        elif type(module) in DROP_INS:
            swapped[name] = _swap(module).__name__  # pyright: ignore[reportArgumentType]
    return Acceleration(swapped, left)


def _reason(module: nn.Module) -> str:
    """Why a module is left alone; nothing for one that can be swapped, or is not recurrent at all."""
    kind = type(module).__name__
    if isinstance(module, torch.jit.ScriptModule):
        recurrent = module.original_name in [each.__name__ for each in DROP_INS]
        return f"it is a {module.original_name} that TorchScript has compiled" if recurrent else ""
    if isinstance(module, nn.RNNCellBase):
        return f"a {kind} takes one step; Recurrent(cell) would run its loop over time, too"
    if not isinstance(module, nn.RNNBase):
        return ""
    if type(module) not in DROP_INS:
        return f"{kind} is a class of its own, which may do something else"
    if "forward" in vars(module):
        return "its forward was replaced by another function"
    devices = {each.device.type for each in module.parameters()} - {"cpu"}
    if devices:
        return f"its weights are on {' and '.join(sorted(devices))}, and kernels are for the CPU"
    dtypes = {str(each.dtype) for each in module.parameters() if each.dtype not in DTYPES}
    return f"its weights are of {' and '.join(sorted(dtypes))}, and kernels are for f32 and f64" if dtypes else ""


def _swap(layer: nn.RNNBase) -> type[nn.RNNBase]:
    """Give a layer the class of its drop-in, and the cells that this brings."""
    twin = drop_in_of(layer)
    layer.cells = twin.cells
    layer.__class__ = type(twin)
    return type(twin)


def drop_in_of(layer: nn.RNNBase) -> LSTM | GRU | RNN:
    """A drop-in that has its parameters in common with one of PyTorch's layers.

    Example:
        >>> layer = nn.GRU(3, 4)
        >>> drop_in_of(layer).weight_hh_l0 is layer.weight_hh_l0
        True
    """
    more: dict[str, Any] = {"proj_size": layer.proj_size} if isinstance(layer, nn.LSTM) else {}
    if isinstance(layer, nn.RNN):
        more["nonlinearity"] = "relu" if layer.mode == "RNN_RELU" else "tanh"
    drop_in: Any = DROP_INS[type(layer)]
    with torch.device("meta"):
        twin = drop_in(layer.input_size, layer.hidden_size, layer.num_layers, bidirectional=layer.bidirectional, **more)
    vars(twin).update(vars(layer))
    return twin
