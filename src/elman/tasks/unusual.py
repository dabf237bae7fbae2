"""What is unusual: errors of prediction that are larger than nearly all on data in which nothing was."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf
from pathlib import Path

import torch
from torch import Tensor

from elman.data import read_json, write_json
from elman.errors import OptionError, RunError

FILE = "unusual.json"
USUAL = 0.99
"""Share of validation errors that count as usual."""


@dataclass(frozen=True)
class Threshold:
    """Tells unusual errors from usual ones.

    Example:
        >>> threshold = Threshold.of(torch.arange(1.0, 201.0))
        >>> threshold.value, threshold.judge(200.0), threshold.judge(199.0)
        (199.0, True, False)
    """

    value: float
    """Errors above it are unusual."""

    @classmethod
    def of(cls, errors: Tensor) -> "Threshold":
        """The least value that promises that of usual errors to come a hundredth at most lies above.

        As conformal prediction has it (Vovk et al. 2005): with n errors, the one whose rank is 99% of n + 1; with too
        few of them, none is unusual.
        """
        errors = errors[errors.isfinite()].sort().values
        rank = ceil(USUAL * (len(errors) + 1) - 1e-9)
        return cls(float(errors[rank - 1]) if rank <= len(errors) else inf)

    def judge(self, error: float) -> bool:
        """Is it unusual?"""
        return error > self.value

    def save(self, folder: Path) -> None:
        """Write what `load` reads."""
        write_json(folder / FILE, {"threshold": None if self.value == inf else self.value})

    @classmethod
    def load(cls, folder: Path) -> "Threshold | None":
        """What was calibrated in a run folder, if anything.

        Raises:
            RunError: The file is damaged.
        """
        if not (folder / FILE).exists():
            return None
        value = read_json(folder / FILE).get("threshold", "nothing")
        if value is not None and not isinstance(value, int | float):
            raise RunError(f"{folder / FILE} is damaged: threshold expects a number; received {value!r}; train again")
        return cls(inf if value is None else float(value))

    @staticmethod
    def wanted(threshold: "Threshold | None") -> "Threshold":
        """The threshold of a run that is asked what is unusual.

        Raises:
            OptionError: It has none.
        """
        if threshold is None:
            raise OptionError(
                "this run has no threshold, so nothing is unusual; finish its training, or train it again"
            )
        return threshold


def auroc(errors: Tensor | Sequence[float], unusual: Tensor | Sequence[bool]) -> float:
    """How often something unusual has a larger error than something usual; of two alike each is it half the time.

    The area under the curve of hits over false alarms, by ranks (Mann and Whitney 1947); NaN where there is but one
    kind.

    Example:
        >>> auroc([0.1, 0.4, 0.4, 0.8], [False, False, True, True])
        0.875
    """
    errors, unusual = torch.as_tensor(errors).double(), torch.as_tensor(unusual).bool()
    count, other = int(unusual.sum()), int((~unusual).sum())
    if not count or not other:
        return float("nan")
    _, places, repeats = errors.unique(sorted=True, return_inverse=True, return_counts=True)
    ranks = (repeats.cumsum(0) - (repeats - 1) / 2)[places]
    return float((ranks[unusual].sum() - count * (count + 1) / 2) / (count * other))
