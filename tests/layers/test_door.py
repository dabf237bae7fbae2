"""Whatever form sequences come in, inside they are (T, B, F), and they leave as they came."""

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from elman.errors import ShapeError
from elman.layers.door import enter, last_outputs

X = torch.randn(5, 3, 2)
LENGTHS = torch.tensor([2, 5, 1])
RESETS = torch.rand(5, 3) < 0.5


@pytest.mark.parametrize(
    ("x", "batch_first", "resets"),
    [(X, False, RESETS), (X.transpose(0, 1), True, RESETS.T)],
    ids=["time first", "batch first"],
)
def test_batched(x: Tensor, batch_first: bool, resets: Tensor) -> None:
    inside = enter(x, batch_first, LENGTHS, resets)
    assert inside.batched
    assert torch.equal(inside.x, X)
    assert inside.lengths is not None
    assert torch.equal(inside.lengths, LENGTHS)
    assert inside.resets is not None
    assert torch.equal(inside.resets, RESETS)
    back = inside.close(inside.x)
    assert isinstance(back, Tensor)
    assert torch.equal(back, x)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("length", [3, torch.tensor(3), torch.tensor([3]), [3]])
def test_unbatched(batch_first: bool, length) -> None:
    inside = enter(X[:, 0], batch_first, length, RESETS[:, 0])
    assert not inside.batched
    assert inside.x.shape == (5, 1, 2)
    assert inside.lengths is not None
    assert inside.lengths.tolist() == [3]
    assert inside.resets is not None
    assert inside.resets.shape == (5, 1)
    back = inside.close(inside.x)
    assert isinstance(back, Tensor)
    assert torch.equal(back, X[:, 0])


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("lengths", [[5, 2, 1], [2, 5, 1], [3, 3, 3]])
def test_packed(lengths: list[int], batch_first: bool) -> None:
    sort = lengths == sorted(lengths, reverse=True)
    packed = pack_padded_sequence(X, torch.tensor(lengths), enforce_sorted=sort)
    inside = enter(packed, batch_first)
    assert inside.lengths is not None
    assert inside.lengths.tolist() == lengths
    for row, length in enumerate(lengths):
        assert torch.equal(inside.x[:length, row], X[:length, row])
    back = inside.close(inside.x)
    assert isinstance(back, PackedSequence)
    for a, b in zip(back, packed, strict=True):
        assert (a is None and b is None) or torch.equal(a, b)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(3), False), r"received 1 dimensions, \(3,\)"),
        ((torch.zeros(1, 2, 3, 4), True), r"received 4 dimensions, \(1, 2, 3, 4\)"),
        ((pack_padded_sequence(X, [5, 2, 1]), False, LENGTHS), "brings its own lengths; leave lengths= away"),
        ((X, True, None, RESETS[0]), r"resets expects shape \(5, 3\), as the input; received \(3,\)"),
        ((X[:, 0], False, None, RESETS), r"resets expects shape \(5,\), as the input; received \(5, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ShapeError, match=message) as caught:
        enter(*arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("lengths", [None, LENGTHS, torch.tensor([0, 5, 3], dtype=torch.uint8)])
def test_the_last_step_of_each_direction(lengths: Tensor | None, directions: int) -> None:
    y = torch.randn(5, 3, 4)
    counts = [5, 5, 5] if lengths is None else [max(1, n) for n in lengths.tolist()]
    last = torch.stack([y[n - 1, row] for row, n in enumerate(counts)])
    expected = last if directions == 1 else torch.cat([last[:, :2], y[0, :, 2:]], dim=-1)
    assert torch.equal(last_outputs(y, lengths, directions), expected)
    assert last_outputs(y[:, :0], None, directions).shape == (0, 4)
