"""What a forecaster keeps of the series that it learned from: the series themselves, and how their numbers lie.

Key: N series, T steps, P past covariates, Q covariates known ahead, S constants.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from elman.data import Frequency, Scaler, Series, facts_of, read_json, write_json, write_tensors
from elman.errors import DataError, RunError

PARTS = ("values", "past", "future", "static")


@dataclass(frozen=True)
class SeriesMemory:
    """Series by name, and what was found out about them.

    Args:
        series: All that is known of them, validation included.
        facts: (N, 4), of their training parts.
        frequency: How far steps are apart.
        categories: Words of covariates, by column.
        scalers: Of past covariates, of those known ahead and of constants.
    """

    series: dict[str, Series]
    facts: Tensor
    frequency: Frequency
    categories: dict[str, tuple[str, ...]]
    scalers: tuple[Scaler, Scaler, Scaler]

    @classmethod
    def of(
        cls,
        training: Sequence[Series],
        whole: Sequence[Series],
        frequency: Frequency,
        categories: dict[str, tuple[str, ...]],
    ) -> "SeriesMemory":
        """Learned from training parts, as the network sees them, of which the whole is kept."""
        facts = torch.stack([facts_of(one.values) for one in training])
        scalers = (
            _scaler([one.past for one in training]),
            _scaler([one.future for one in training]),
            _scaler([one.static.unsqueeze(0) for one in training]),
        )
        return cls({one.name: one for one in whole}, facts, frequency, categories, scalers)

    def joined(self, found: Sequence[Series]) -> list[Series]:
        """Series behind what is remembered of them."""
        return [self.series[one.name].then(one) if one.name in self.series else one for one in found]

    def up_to(self, found: Sequence[Series]) -> "SeriesMemory":
        """The same, remembering more of the series that it has."""
        later = {one.name: one for one in found}
        return replace(self, series={name: later.get(name, one) for name, one in self.series.items()})

    def facts_for(self, found: Sequence[Series]) -> tuple[Tensor, Tensor]:
        """Facts of series (N, 4), those of the training if it had them; and their numbers (N,) from 1, 0 if not."""
        places = {name: number for number, name in enumerate(self.series)}
        facts = [self.facts[places[one.name]] if one.name in places else facts_of(one.values) for one in found]
        return torch.stack(facts), torch.tensor([places.get(one.name, -1) + 1 for one in found])

    def save(self, folder: Path) -> None:
        """Write two files."""
        tensors = {
            f"{number}.{part}": getattr(one, part).contiguous()
            for number, one in enumerate(self.series.values())
            for part in PARTS
        }
        write_tensors(folder / "series.safetensors", tensors | {"facts": self.facts})
        value = {
            "series": [{"name": one.name, "start": one.start} for one in self.series.values()],
            "frequency": vars(self.frequency),
            "categories": self.categories,
            "scalers": [one.as_json() for one in self.scalers],
        }
        write_json(folder / "series.json", value)

    @classmethod
    def load(cls, folder: Path) -> "SeriesMemory":
        """Read what `save` wrote.

        Raises:
            RunError: A file is missing or damaged.
        """
        value = read_json(folder / "series.json")
        try:
            tensors = load_file(folder / "series.safetensors")
            series = [
                Series(one["name"], one["start"], *(tensors[f"{number}.{part}"] for part in PARTS))
                for number, one in enumerate(value["series"])
            ]
            past, future, static = map(Scaler.from_json, value["scalers"])
            return cls(
                {one.name: one for one in series},
                tensors["facts"],
                Frequency(**value["frequency"]),
                {name: tuple(words) for name, words in value["categories"].items()},
                (past, future, static),
            )
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise RunError(f"the series of {folder} are damaged: {error}; restore them or train again") from error


def _scaler(parts: Sequence[Tensor]) -> Scaler:
    """Of all rows that are whole."""
    rows = torch.cat(list(parts))
    whole = rows[~rows.isnan().any(1)]
    if rows.shape[1] and not len(whole):
        raise DataError("a covariate has no value in any row; leave it away")
    return Scaler.of([whole]) if rows.shape[1] else Scaler(torch.zeros(0), torch.ones(0))
