"""The functions f and g of simple cells and output layers, by name: article 2 §2.1 lists the first three."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor

Activation = Literal["tanh", "sigmoid", "relu"]
OutputActivation = Literal["identity", "tanh", "sigmoid", "relu", "softmax"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
}


def identity(y: Tensor) -> Tensor:
    """No activation."""
    return y


OUTPUT_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {  # no lambdas: layers that hold one must pickle
    "identity": identity,
    **ACTIVATIONS,
    "softmax": partial(torch.softmax, dim=-1),
}
