"""The model card: what a run is, in a page."""

from typing import Any

from torch import nn


def model_card(config: dict[str, Any], network: nn.Module, metrics: dict[str, Any], version: str) -> str:
    """Markdown: what it does, what it learned from, how good it is, how to use it."""
    parameters = sum(parameter.numel() for parameter in network.parameters())
    facts = "".join(f"- {name}: {value:,}\n" for name, value in config["facts"].items())
    notes = "".join(f"- {note}\n" for note in config["notes"])
    rows = "".join(f"| {name} | {value:.4f} |\n" for name, value in metrics["valid"].items())
    told = "".join(f"\n{note}\n" for note in metrics.get("notes", ()))
    settings = "".join(f"| {name} | {value} |\n" for name, value in config["settings"].items())
    return (
        f"# A model of the task {config['task']}\n\n"
        f"Trained with elman {version}: {parameters:,} parameters, cell {config['settings']['cell']}.\n\n"
        f"## Data\n\n- training: {config['data']['train'] or 'embedded'}\n"
        f"- validation: {config['data']['valid'] or 'split from training'}\n{facts}{notes}\n"
        f"## Scores on the validation data\n\n| score | value |\n|---|---|\n{rows}{told}\n"
        "## Limits\n\nIt knows only what its training data showed, mistakes and prejudice included. "
        "Text that it writes can be wrong or harmful: read it before you use it.\n\n"
        f"## Settings\n\n| setting | value |\n|---|---|\n{settings}"
    )
