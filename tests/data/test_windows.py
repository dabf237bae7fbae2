"""Windows against loops of two lines."""

import pytest
import torch

from elman.data import IGNORE, Windows
from elman.errors import DataError


@pytest.mark.parametrize("width", [1, 3, 100])
@pytest.mark.parametrize("rows", [1, 2, 7])
@pytest.mark.parametrize("length", [2, 3, 63, 1000])
def test_every_number_is_predicted_once_with_keep_all(length, rows, width):
    seen = []
    for window in Windows(torch.arange(length), rows, width, keep_all=True):
        counts = window.targets != IGNORE
        assert torch.equal(window.targets[counts], window.inputs[counts] + 1)
        seen += window.targets[counts].tolist()
    assert sorted(seen) == list(range(1, length))


@pytest.mark.parametrize(("length", "rows", "width"), [(11, 2, 3), (1000, 7, 9), (64, 63, 1), (2, 1, 1)])
def test_rows_are_contiguous_from_window_to_window(length, rows, width):
    numbers = torch.randint(0, 99, (length,))
    windows = Windows(numbers, rows, width)
    inputs, targets = (torch.cat([getattr(w, name) for w in windows]).T for name in ("inputs", "targets"))
    per_row = (length - 1) // rows
    assert torch.equal(inputs.flatten(), numbers[: rows * per_row])
    assert torch.equal(targets.flatten(), numbers[1 : rows * per_row + 1])
    assert [window.fresh for window in windows] == [n == 0 for n in range(len(windows))]
    assert all(len(window.inputs) == width for window in list(windows)[:-1])
    assert len(list(windows)) == len(windows) == -(-per_row // width)


def test_positions_go_on_epoch_after_epoch():
    windows = Windows(torch.arange(11), 1, 4)
    for number, window in enumerate(windows):
        assert windows.batch(number + 2 * len(windows)).inputs.equal(window.inputs)
        assert window.fresh == (number == 0)


@pytest.mark.parametrize(
    ("length", "keep_all", "message"),
    [
        (0, True, "the valid text expects 2 units or more.*received 0"),
        (1, True, "the valid text expects 2 units or more.*received 1"),
        (6, False, r"expected 2 rows x 3 steps \+ 1 = 7 units; received 6; .*--batch-size or --window"),
        (0, False, "received 0"),
    ],
)
def test_too_little_is_refused(length, keep_all, message):
    with pytest.raises(DataError, match=message):
        Windows(torch.arange(length), 2, 3, keep_all=keep_all, name="the valid text")


def test_a_window_goes_to_another_device_or_type():
    window = Windows(torch.arange(11), 2, 3).batch(1).to("cpu", dtype=torch.int32)
    assert window.inputs.dtype == window.targets.dtype == torch.int32
    assert not window.fresh
