"""Another run as the start of a new one: all its weights, or what it reads with."""

from pathlib import Path

import torch
from torch import nn

from elman.errors import RunError
from elman.layers import Recurrent
from elman.models import Reader
from elman.tasks.model import load
from elman.tasks.run_folder import load_weights, read_config
from elman.tasks.task import Task


def start_from(run: Path, task: Task, network: nn.Module) -> None:
    """Put the weights of a run into a fresh network; a language model's become those that read (Howard and Ruder 2018).

    Raises:
        RunError: The run is unfinished or damaged, or its network has another form.
    """
    if read_config(run)["task"] == task.name:
        load_weights(run / "model.safetensors", network)
        return
    encoder = load(run)
    if not isinstance(encoder.network, Reader):
        raise RunError(f"{run} does not generate text; expected a run that does to start from")
    if not isinstance(network, Reader) or not isinstance(network.body, Recurrent):
        raise RunError(f"the network of {run} cannot read for this one; take another pooling, or network = recurrent")
    vectors, body = task.vectors_of(encoder.task, encoder.network.units.weight), encoder.network.body.state_dict()
    ours = network.body.state_dict()
    if {name: each.shape for name, each in body.items()} != {name: each.shape for name, each in ours.items()}:
        raise RunError(
            f"the layers of {run} are of another form than those of a {task.name} network; train it without --tied, "
            "and this one without options that change its layers"
        )
    with torch.no_grad():
        network.units.weight.copy_(vectors)
    network.body.load_state_dict(body)
