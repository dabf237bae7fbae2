"""A decoder writes step by step what it writes at once, wherever it looks, and kernels and plain steps agree."""

from typing import Any

import pytest
import torch
from torch import Tensor

from elman.engine import recording, use_backend
from elman.errors import OptionError
from elman.layers import EncoderDecoder, GRUCell, LayerNormLSTMCell, LSTMCell

KINDS: dict[str, dict[str, Any]] = {
    "after": {},
    "after, many heads": {"attention": "multi_head", "heads": 2},
    "between": {"attend": "between", "num_layers": 2},
    "between, many heads": {"attend": "between", "decoder_layers": 3, "attention": "multi_head", "heads": 4},
    "inside": {"attend": "inside", "attention": "additive"},
    "feeding": {"attend": "feeding", "attention": "query_key", "num_layers": 2},
    "no attention": {"attention": "none"},
    "more layers above": {"decoder_layers": 3},
    "one direction": {"bidirectional": False, "attention": "dot"},
}
CELLS = {"gru": GRUCell, "lstm": LSTMCell, "layer norm": LayerNormLSTMCell}
LENGTHS = torch.tensor([7, 4, 1])


def make(kind: str, cell: str = "gru") -> EncoderDecoder:
    return EncoderDecoder(CELLS[cell], 6, 5, 8, **KINDS[kind]).eval()


def sequences() -> tuple[Tensor, Tensor]:
    return torch.randn(7, 3, 6), torch.randn(4, 3, 5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", CELLS)
def test_steps_equal_the_whole(kind: str, cell: str):
    network = make(kind, cell)
    x, y = sequences()
    encoded = network.encode(x, LENGTHS)
    expected = network(y, encoded)
    with torch.inference_mode():
        writing = network.start(encoded)
        for step, vectors in enumerate(y):
            output, weights, writing = network.write(vectors, writing)
            torch.testing.assert_close(output, expected[step])
    if kind == "no attention":
        assert weights is None
    else:
        torch.testing.assert_close(weights.sum(1), torch.ones(3))
        assert not weights[1, 4:].any()  # beyond the length of its source


@pytest.mark.parametrize("kind", KINDS)
def test_rows_can_be_reordered_and_sentences_dropped(kind: str):
    network = make(kind)
    x, y = sequences()
    encoded = network.encode(x, LENGTHS)
    expected = network(y, encoded)
    with torch.inference_mode():
        writing = network.start(encoded).select(torch.tensor([0, 0, 1, 1, 2, 2]))
        for step in range(2):
            _, _, writing = network.write(y[step].repeat_interleave(2, 0), writing)
        writing = writing.select(torch.tensor([1, 0, 4, 5]), torch.tensor([0, 2]))
        output, _, _ = network.write(y[2][[0, 0, 2, 2]], writing)
    torch.testing.assert_close(output, expected[2][[0, 0, 2, 2]])


@pytest.mark.parametrize("kind", KINDS)
def test_kernels_and_plain_steps_agree_on_outputs_and_gradients(kind: str):
    network = make(kind).double().train()
    x, y = (each.double() for each in sequences())
    results = []
    for backend in ("llvm", "eager"):
        with use_backend(backend):
            outputs = network(y, network.encode(x, LENGTHS), torch.tensor([4, 2, 3]))
        results.append((outputs, *torch.autograd.grad(outputs.square().sum(), network.parameters())))
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_of_sources_and_neighbours_change_nothing(kind: str):
    network = make(kind)
    x, y = sequences()
    together = network(y, network.encode(x, LENGTHS))
    alone = network(y[:, 1:2], network.encode(x[:4, 1:2], LENGTHS[1:2]))
    torch.testing.assert_close(together[:, 1:2], alone)


@pytest.mark.parametrize("kind", ["inside", "feeding"])
def test_attention_inside_is_recorded(kind: str):
    network = make(kind)
    x, y = sequences()
    encoded = network.encode(x, LENGTHS)
    with recording() as records:
        network(y, encoded)
    (weights,) = (entry["attention"] for entry in records if "attention" in entry)
    with torch.inference_mode():
        _, expected, _ = network.write(y[0], network.start(encoded))
    torch.testing.assert_close(weights[0], expected)


@pytest.mark.parametrize("per", ["step", "sequence"])
@pytest.mark.parametrize("kind", ["after", "between", "inside", "feeding"])
def test_dropout_acts_between_the_layers_of_a_decoder(kind: str, per: Any):
    network = EncoderDecoder(GRUCell, 6, 5, 8, 2, attend=kind, regularisation={"dropout": 0.5, "dropout_per": per})  # pyright: ignore
    x, y = sequences()
    encoded = network.eval().encode(x, LENGTHS)
    plain = network(y, encoded)
    network.train()
    first, second = (network(y, encoded) for _ in range(2))
    assert not torch.allclose(first, second)
    assert not torch.allclose(first, plain)


def test_impossible_ones_are_named():
    with pytest.raises(OptionError, match="attend = inside expects one look at a time; received"):
        EncoderDecoder(GRUCell, 6, 5, 8, attend="inside", attention="multi_head")
    with pytest.raises(OptionError, match="attend = between expects two layers"):
        EncoderDecoder(GRUCell, 6, 5, 8, attend="between")
    with pytest.raises(OptionError, match="attend cannot be 'befor'"):
        EncoderDecoder(GRUCell, 6, 5, 8, attend="befor")  # pyright: ignore[reportArgumentType]
