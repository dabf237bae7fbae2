"""How much of the loss's gradient arrives at the state k steps back: vanishing and exploding gradients, seen."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from elman.engine import probe_states
from elman.errors import CellError, ShapeError


def gradient_flow(model: nn.Module, batch: Any, loss: Callable[[Any], Tensor] | None = None) -> list[Tensor]:
    """The norm of the loss's gradient with respect to the state k steps before the last.

    Bengio, Simard and Frasconi (1994) and Pascanu, Mikolov and Bengio (2013) explain its fall and its growth.

    Args:
        model: Any module that runs Elman's layers, called as model(batch).
        batch: Its input, time-major.
        loss: From what the model returns to one number. When omitted: the mean square of the last step's output, for
            time-major outputs.

    Raises:
        CellError: No layer of Elman ran.
        ShapeError: There is no last step to take the default loss of, or the loss is not one number.

    Returns:
        For every layer and direction that ran, norms (T,): entry k is for the state that enters the step k before
        the last, averaged over the rows of the batch. For a bidirectional layer's second direction, k counts from
        the first step.

    Example:
        >>> from elman.layers import LSTM, RNN
        >>> _ = torch.manual_seed(0)
        >>> x = torch.randn(60, 4, 8)
        >>> rnn, lstm = (gradient_flow(layer, x)[0] for layer in (RNN(8, 16), LSTM(8, 16)))
        >>> bool(rnn[50] < rnn[0] * 1e-3)
        True
    """
    with probe_states() as probes, torch.enable_grad():
        outputs = model(batch)
        number = _last_square(outputs) if loss is None else loss(outputs)
        if not probes:
            raise CellError(
                f"{type(model).__name__} ran no layer of elman; use elman.Recurrent, RNN, LSTM or GRU in it"
            )
        if not isinstance(number, Tensor) or number.numel() != 1:
            raise ShapeError("the loss expects one number; received something else; try .sum() or .mean()")
        gradients = torch.autograd.grad(number, probes, allow_unused=True, materialize_grads=True)
    return [gradient.norm(dim=-1).mean(dim=1).flip(0) for gradient in gradients]


def _last_square(outputs: Any) -> Tensor:
    y = outputs[0] if isinstance(outputs, tuple) else outputs
    if not isinstance(y, Tensor):
        raise ShapeError(f"the default loss expects outputs in a tensor; received a {type(y).__name__}; give loss=")
    return y[-1].square().mean()
