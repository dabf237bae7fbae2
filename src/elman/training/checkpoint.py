"""Lightning's checkpoints without pickle: one safetensors file, its tensors by number, all else as JSON beside them.

Lightning hands over nested dictionaries of numbers and tensors (weights, optimiser, loops, callbacks); to them the
training adds the carried state and the random generator that it draws from.
"""

import json
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import CheckpointIO
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from elman.data import write_tensors
from elman.errors import RunError

KEY = "elman"
"""Where the JSON stands in the file's header."""


class SafetensorsIO(CheckpointIO):
    """Writes and reads checkpoints for Lightning; a checkpoint is there whole or not at all."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        tensors: dict[str, Tensor] = {}
        tree = json.dumps(pack(checkpoint, tensors))
        write_tensors(Path(path), tensors, {KEY: tree})

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        return read_checkpoint(Path(path))

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink(missing_ok=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What `save_checkpoint` wrote.

    Raises:
        RunError: The file is missing, damaged or foreign.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tree = json.loads((file.metadata() or {})[KEY])
            return unpack(tree, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except (SafetensorError, OSError, LookupError, TypeError, ValueError) as error:
        raise RunError(f"the checkpoint {path} is damaged or foreign: {error}; remove it to start over") from error


def check_fits(checkpoint: dict[str, Any], module: nn.Module, path: Path) -> None:
    """Raise RunError where a checkpoint was written by the training of another network."""
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in checkpoint.get("state_dict", {}).items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise RunError(
                f"the checkpoint {path} is of another run: {name} expects {expected.get(name, 'nothing')}; "
                f"received {found.get(name, 'nothing')}; remove it to start over"
            )


def pack(value: Any, tensors: dict[str, Tensor]) -> Any:
    """A value as JSON can hold it; its tensors go into the dictionary."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().contiguous().clone()  # a file cannot hold one tensor's memory twice
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[pack(key, tensors), pack(one, tensors)] for key, one in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [pack(one, tensors) for one in value]}
    if isinstance(value, list):
        return [pack(one, tensors) for one in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise RunError(f"a checkpoint can hold numbers, text and tensors; received {type(value).__name__}")


def unpack(value: Any, tensors: dict[str, Tensor]) -> Any:
    """What `pack` packed."""
    if isinstance(value, list):
        return [unpack(one, tensors) for one in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "tuple":
        return tuple(unpack(one, tensors) for one in content)
    return {unpack(key, tensors): unpack(one, tensors) for key, one in content}


def random_states() -> dict[str, Tensor]:
    """The state of every random generator that training draws from."""
    return {"torch": torch.get_rng_state()}


def set_random_states(states: dict[str, Tensor]) -> None:
    """Go on drawing where `random_states` was called."""
    torch.set_rng_state(states["torch"])
