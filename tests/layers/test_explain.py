"""Which path runs, and why."""

import pytest
from torch import nn

from elman.engine import use_backend
from elman.errors import CellError
from elman.layers import GRU, GRUCell, LSTMCell, Recurrent, Zoneout, explain


@pytest.mark.parametrize(
    ("layer", "cell"),
    [
        (GRU(3, 4), "GRUCell"),
        (Recurrent(LSTMCell, 3, 4, 2), "LSTMCell"),
        (Recurrent(nn.LSTMCell, 3, 4), "TorchCell"),
        (Zoneout(GRUCell(3, 4), 0.1), "Zoneout"),
        (GRUCell(3, 4), "GRUCell"),
    ],
)
def test_a_layer_tells_its_path(layer: nn.Module, cell: str) -> None:
    told = explain(layer)
    assert (told.cell, told.backend) == (cell, "llvm")
    assert str(told).startswith(f"{cell} runs on llvm: {told.reason}\nforward, in the loop over time\n")
    with use_backend("eager"):
        assert explain(layer).reason == "use_backend asked for it"


@pytest.mark.parametrize("module", [nn.LSTM(3, 4), nn.Linear(3, 4), nn.LSTMCell(3, 4)])
def test_what_elman_does_not_run_is_refused(module: nn.Module) -> None:
    with pytest.raises(CellError, match=f"expected an elman layer or cell; received {type(module).__name__}"):
        explain(module)
