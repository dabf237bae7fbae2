"""The functions f and g of the simple cells, by name: article 2 §2.1 lists the first three."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

Activation = Literal["tanh", "sigmoid", "relu"]
OutputActivation = Literal["identity", "tanh", "sigmoid", "relu"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
}
OUTPUT_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"identity": lambda y: y, **ACTIVATIONS}
