"""What every run folder holds: a description, and weights."""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from elman.data import read_json, write_tensors
from elman.errors import RunError

VERSION = 1
"""Of the form of a run folder."""

CONFIG = {"task": str, "data": dict, "fingerprint": str, "facts": dict, "notes": list, "settings": dict}
"""What stands in a run's `config.json`."""


def check_free(folder: Path) -> None:
    """Raise RunError where something stands already."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; expected a new folder; choose another one with --out")
    if folder.exists() and any(folder.iterdir()):
        raise RunError(
            f"{folder} holds another run or other files; choose a new folder with --out, or go on with --resume"
        )


def read_config(folder: Path) -> dict[str, Any]:
    """What a run's `config.json` says.

    Raises:
        RunError: It is missing, damaged, or of another version.
    """
    path = folder / "config.json"
    config = read_json(path)
    if config.get("format") != VERSION:
        raise RunError(
            f"{path} expects a run of format {VERSION}; received {config.get('format')!r}; "
            "it is not a run of this version of elman"
        )
    for name, kind in CONFIG.items():
        if not isinstance(config.get(name), kind):
            received = type(config[name]).__name__ if name in config else "nothing"
            raise RunError(
                f"{path} is damaged: {name} expects {kind.__name__}; received {received}; restore it or train again"
            )
    if not {"train", "valid"} <= config["data"].keys() or not all(isinstance(n, int) for n in config["facts"].values()):
        raise RunError(f"{path} is damaged: data or facts are not what elman wrote; restore it or train again")
    return config


def save_weights(path: Path, network: nn.Module) -> None:
    """Write a network's weights, whole or not at all; shared ones once."""
    write_tensors(path, _unshared(network))


def load_weights(path: Path, network: nn.Module) -> None:
    """Put a file's weights into a network.

    Raises:
        RunError: The file is missing, damaged, or made for another network.
    """
    try:
        weights = load_file(path)
    except FileNotFoundError:
        raise RunError(f"{path} is missing: the run has no trained weights yet; finish it with --resume") from None
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} is damaged: {error}; restore it or train again") from error
    expected = _unshared(network)
    for name in sorted(expected.keys() | weights.keys()):
        wanted, found = (tuple(side[name].shape) if name in side else "nothing" for side in (expected, weights))
        if wanted != found:
            raise RunError(
                f"{path} does not fit its config.json: {name} expects {wanted}; received {found}; "
                "the files come from different runs"
            )
    network.load_state_dict(weights, strict=False)


def _unshared(network: nn.Module) -> dict[str, Tensor]:
    """Weights by name, tied ones under their first name only."""
    seen: set[int] = set()
    weights = {}
    for name, tensor in network.state_dict(keep_vars=True).items():
        if id(tensor) not in seen:
            seen.add(id(tensor))
            weights[name] = tensor.detach().contiguous()
    return weights
