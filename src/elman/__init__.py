"""Elman: recurrent networks from equation to service.

Names are loaded when they are first used, so `import elman` stays quick.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elman import errors, layers
    from elman.engine import Cell, recording, scan, use_backend
    from elman.interfaces.client import Client
    from elman.layers import GRU, LSTM, RNN, Recurrent, accelerate, compile_step, explain, gradient_flow
    from elman.tasks import Model, load
    from elman.training import train, update

_HOMES = {
    "Cell": "engine",
    "Client": "interfaces.client",
    "recording": "engine",
    "scan": "engine",
    "use_backend": "engine",
    "GRU": "layers",
    "LSTM": "layers",
    "RNN": "layers",
    "Recurrent": "layers",
    "accelerate": "layers",
    "compile_step": "layers",
    "explain": "layers",
    "Model": "tasks",
    "load": "tasks",
    "gradient_flow": "layers",
    "train": "training",
    "update": "training",
}

__version__ = version("elman")

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Cell",
    "Client",
    "Model",
    "Recurrent",
    "accelerate",
    "compile_step",
    "errors",
    "explain",
    "gradient_flow",
    "layers",
    "load",
    "recording",
    "scan",
    "train",
    "update",
    "use_backend",
]


def __getattr__(name: str) -> Any:
    if name in ("errors", "layers"):
        return import_module(f"elman.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'elman' has no attribute '{name}'")
    return getattr(import_module(f"elman.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
