"""Lines as examples: each predicted whole, alone, once an epoch; what is too long is cut and counted."""

import pytest
import torch

from elman.data import IGNORE, Lines, cut_to
from elman.errors import DataError

BORDER = 0
SEQUENCES = [torch.randint(1, 9, (length,)) for length in (3, 1, 7, 2, 2, 5, 1)]


def rows(lines: Lines, position: int) -> list[tuple[list[int], list[int]]]:
    """What a batch reads and should say, without the padding."""
    batch = lines.batch(position)
    return [
        (inputs[targets != IGNORE].tolist(), targets[targets != IGNORE].tolist())
        for inputs, targets in zip(batch.inputs.T, batch.targets.T, strict=True)
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_every_line_is_read_once_an_epoch_from_border_to_border(size: int):
    lines = Lines(SEQUENCES, BORDER, size)
    expected = sorted(([BORDER, *one.tolist()], [*one.tolist(), BORDER]) for one in SEQUENCES)
    for epoch in range(2):
        positions = range(epoch * len(lines), (epoch + 1) * len(lines))
        assert sorted(row for position in positions for row in rows(lines, position)) == expected
    assert sum(batch.inputs.shape[1] for batch in lines) == len(SEQUENCES)


def test_epochs_differ_in_order_and_repeat_themselves():
    lines = Lines(SEQUENCES, BORDER, 1)
    orders = [[str(rows(lines, epoch * len(lines) + n)) for n in range(len(lines))] for epoch in range(3)]
    assert orders[0] != orders[1]
    again = Lines(SEQUENCES, BORDER, 1)
    assert orders[1] == [str(rows(again, len(again) + n)) for n in range(len(again))]


def test_each_batch_starts_without_memory():
    assert all(batch.fresh for batch in Lines(SEQUENCES, BORDER, 2))


@pytest.mark.parametrize(("side", "kept"), [("end", [[1, 2, 3], [7]]), ("start", [[3, 4, 5], [7]])])
def test_what_is_too_long_is_cut_and_counted(side, kept):
    sequences, cut = cut_to([torch.arange(1, 6), torch.tensor([7])], 3, side)
    assert [one.tolist() for one in sequences] == kept
    assert cut == 2


def test_nothing_is_cut_without_a_limit():
    assert cut_to(SEQUENCES, None, "end") == (SEQUENCES, 0)


def test_no_lines_are_refused():
    with pytest.raises(DataError, match="names has no line with text"):
        Lines([], BORDER, 2, "names")
