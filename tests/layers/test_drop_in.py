"""RNN, LSTM and GRU against those of torch.nn: same weights, same numbers, same gradients."""

import copy
import io
from collections.abc import Iterable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from elman.errors import ShapeError
from elman.layers import GRU, LSTM, RNN

T, B, FEATURES, HIDDEN = 7, 4, 3, 5
LENGTHS = [4, 7, 1, 3]  # in no order
KINDS = {
    "tanh": (RNN, nn.RNN, {}),
    "relu": (RNN, nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (LSTM, nn.LSTM, {}),
    "projected": (LSTM, nn.LSTM, {"proj_size": 2}),
    "gru": (GRU, nn.GRU, {}),
}
OPTIONS = [
    {"num_layers": 1},
    {"num_layers": 2, "bias": False},
    {"num_layers": 3, "bidirectional": True},
    {"num_layers": 1, "bidirectional": True, "bias": False, "batch_first": True},
    {"num_layers": 2, "batch_first": True},
]
FORMS = ["padded", "unbatched", "sorted", "unsorted"]
kinds = pytest.mark.parametrize("kind", KINDS)
options = pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(f"{k}={v}" for k, v in o.items()))


def pair(kind: str, **options) -> tuple[nn.RNNBase, nn.RNNBase]:
    """Ours and theirs from the same seed, which both leave in the same place."""
    ours, theirs, more = KINDS[kind]
    made, after = [], []
    for layer in (ours, theirs):
        torch.manual_seed(1)
        made.append(layer(FEATURES, HIDDEN, **more, **options))
        after.append(torch.get_rng_state())
    assert torch.equal(*after)
    return made[0], made[1]


def tensors(value: object) -> list[Tensor]:
    """Every tensor in what a layer returns, in order."""
    if isinstance(value, PackedSequence):
        return [value.data, value.batch_sizes]
    if isinstance(value, Tensor):
        return [value]
    assert isinstance(value, Iterable)
    return [tensor for each in value for tensor in tensors(each)]


def some_input(layer: nn.RNNBase, form: str) -> tuple[Tensor, Tensor | PackedSequence]:
    """A leaf, and what is made of it for the layer."""
    if form == "unbatched":
        leaf = torch.randn(T, FEATURES, dtype=torch.float64, requires_grad=True)
        return leaf, leaf
    leaf = torch.randn(T, B, FEATURES, dtype=torch.float64, requires_grad=True)
    x = leaf.transpose(0, 1) if layer.batch_first else leaf
    if form == "padded":
        return leaf, x
    lengths = sorted(LENGTHS, reverse=True) if form == "sorted" else LENGTHS
    return leaf, pack_padded_sequence(x, torch.tensor(lengths), layer.batch_first, enforce_sorted=form == "sorted")


def some_state(layer: nn.RNNBase, batched: bool = True, dtype: torch.dtype = torch.float64):
    runs = layer.num_layers * (2 if layer.bidirectional else 1)
    widths = [layer.proj_size or HIDDEN, HIDDEN] if isinstance(layer, nn.LSTM) else [HIDDEN]
    state = [torch.randn(runs, *([B] if batched else []), width, dtype=dtype, requires_grad=True) for width in widths]
    return tuple(state) if len(state) > 1 else state[0]


def results(layer: nn.RNNBase, x, hx, leaves: list[Tensor], **more) -> list[Tensor]:
    """Outputs, final states, and gradients of everything."""
    out = tensors(layer(x, hx, **more))
    floats = [tensor for tensor in out if tensor.is_floating_point()]
    weights = torch.linspace(-1, 2, sum(tensor.numel() for tensor in floats), dtype=floats[0].dtype)
    loss = torch.cat([tensor.flatten() for tensor in floats]) @ weights
    # the packing before the layer is a graph that both runs share
    return out + list(torch.autograd.grad(loss, [*leaves, *layer.parameters()], retain_graph=True))


def assert_same(ours: list[Tensor], theirs: list[Tensor]) -> None:
    """1e-10 in f64: rounding over a few layers and steps, far from any wrong term."""
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("given", [False, True], ids=["zeros", "hx"])
@pytest.mark.parametrize("form", FORMS)
@options
@kinds
def test_same_outputs_states_and_gradients(kind: str, options: dict, form: str, given: bool) -> None:
    ours, theirs = (layer.double() for layer in pair(kind, **options))
    leaf, x = some_input(theirs, form)
    hx = some_state(theirs, form != "unbatched") if given else None
    leaves = [leaf, *(tensors(hx) if given else [])]
    assert_same(results(ours, x, hx, leaves), results(theirs, x, hx, leaves))
    y, expected = ours(x, hx)[0], theirs(x, hx)[0]
    assert type(y) is type(expected)
    if isinstance(y, PackedSequence):
        for a, b in zip(y[2:], expected[2:], strict=True):
            assert a is b is None or torch.equal(a, b)


@options
@kinds
def test_lengths_are_a_packed_sequence(kind: str, options: dict) -> None:
    ours, theirs = (layer.double() for layer in pair(kind, **options))
    leaf, x = some_input(theirs, "padded")
    hx = some_state(theirs)
    assert isinstance(x, Tensor)
    packed = pack_padded_sequence(x, torch.tensor(LENGTHS), theirs.batch_first, enforce_sorted=False)
    y, state = theirs(packed, hx)
    expected, _ = pad_packed_sequence(y, theirs.batch_first, total_length=T)
    leaves = [leaf, *tensors(hx)]
    got, got_state = ours(x, hx, lengths=torch.tensor(LENGTHS))
    assert_same(tensors((got, got_state)), tensors((expected, state)))

    def gradients(y: Tensor, layer: nn.RNNBase) -> list[Tensor]:
        return list(torch.autograd.grad(y.square().sum(), [*leaves, *layer.parameters()], allow_unused=True))

    for a, b in zip(gradients(got, ours), gradients(expected, theirs), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


# PyTorch tells so itself for proj_size in f32; nothing here depends on it
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN:UserWarning")
@options
@kinds
def test_as_near_to_double_precision_as_torch(kind: str, options: dict) -> None:
    """The error in f32 is at most twice PyTorch's, by the largest error over the largest value of each tensor.

    The floor of two roundings (2 * 2^-23) is for tensors where PyTorch happens to be nearly exact.
    """
    ours, theirs = pair(kind, **options)
    exact = copy.deepcopy(theirs).double()
    leaf, x = some_input(theirs, "padded")
    hx = some_state(theirs)
    leaf32 = leaf.detach().float().requires_grad_()
    x32 = leaf32.transpose(0, 1) if theirs.batch_first else leaf32
    with torch.no_grad():  # the exact run shall start from the rounded numbers too
        leaf.copy_(leaf32)
    hx32 = [tensor.detach().float().requires_grad_() for tensor in tensors(hx)]
    for whole, rounded in zip(tensors(hx), hx32, strict=True):
        whole.data.copy_(rounded.data)
    truth = results(exact, x, hx, [leaf, *tensors(hx)])
    state32 = tuple(hx32) if len(hx32) > 1 else hx32[0]

    def errors(layer: nn.RNNBase) -> Tensor:
        got = results(layer, x32, state32, [leaf32, *hx32])
        return torch.stack([(a.double() - b).abs().max() / b.abs().max() for a, b in zip(got, truth, strict=True)])

    assert (errors(ours) <= 2 * errors(theirs) + 2 * torch.finfo(torch.float32).eps).all()


@options
@kinds
def test_same_seed_same_weights_and_names(kind: str, options: dict) -> None:
    ours, theirs = pair(kind, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))
    assert repr(ours) == repr(theirs)
    assert isinstance(ours, type(theirs))


def through_torch_save(layer: nn.Module) -> nn.Module:
    buffer = io.BytesIO()
    torch.save(layer, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=False)


def through_state_dict(layer: nn.RNNBase) -> nn.Module:
    kind = next(name for name, (ours, _, more) in KINDS.items() if type(layer) is ours and not more)
    theirs = KINDS[kind][1](FEATURES, HIDDEN, 2, bidirectional=True)
    theirs.load_state_dict(layer.state_dict())
    ours = KINDS[kind][0](FEATURES, HIDDEN, 2, bidirectional=True)
    ours.load_state_dict(theirs.state_dict())
    return ours


@pytest.mark.parametrize("way", [copy.deepcopy, through_torch_save, through_state_dict], ids=lambda way: way.__name__)
@pytest.mark.parametrize("kind", ["tanh", "lstm", "gru"])
def test_copies_compute_the_same(kind: str, way) -> None:
    layer, _ = pair(kind, num_layers=2, bidirectional=True)
    x = torch.randn(T, B, FEATURES)
    y, _ = layer(x)
    clone = way(layer)
    assert torch.equal(clone(x)[0], y)
    with torch.no_grad():
        next(layer.parameters()).zero_()
    assert torch.equal(clone(x)[0], y)
    assert not torch.equal(layer(x)[0], y)


@pytest.mark.parametrize("cast", [lambda m: m.double(), lambda m: m.to(torch.float64)], ids=["double", "to"])
@pytest.mark.parametrize("kind", ["relu", "projected", "gru"])
def test_dtype_follows_the_weights(kind: str, cast) -> None:
    layer = cast(pair(kind)[0])
    out = tensors(layer(torch.randn(T, B, FEATURES, dtype=torch.float64)))
    assert all(tensor.dtype == torch.float64 for tensor in out)


@kinds
def test_weights_may_be_parametrised(kind: str) -> None:
    layer, _ = pair(kind)
    x = torch.randn(T, B, FEATURES)
    y, _ = layer(x)
    weight_norm(layer, "weight_hh_l0")
    normed, _ = layer(x)
    torch.testing.assert_close(normed, y)
    normed.sum().backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())


@kinds
def test_dropout_acts_between_layers_in_training_only(kind: str) -> None:
    layer, _ = pair(kind, num_layers=2, dropout=0.5)
    plain, _ = pair(kind, num_layers=2)
    x = torch.randn(T, B, FEATURES)
    assert not torch.equal(layer(x)[0], layer(x)[0])
    assert torch.equal(layer.eval()(x)[0], plain(x)[0])


def bare(layer: nn.RNNBase, tensor: Tensor):
    return tensor if not isinstance(layer, nn.LSTM) else (tensor, tensor)


@pytest.mark.parametrize("kind", ["tanh", "lstm", "gru"])
@pytest.mark.parametrize(
    ("shape", "batched"),
    [
        ((2, B), True),
        ((1, B, HIDDEN), True),
        ((2, 1, HIDDEN), True),
        ((2, B, HIDDEN + 1), True),
        ((2, 1, HIDDEN), False),
    ],
)
def test_a_state_that_does_not_fit_is_refused(kind: str, shape: tuple[int, ...], batched: bool) -> None:
    layer, _ = pair(kind, num_layers=2)
    x = torch.zeros(T, B, FEATURES) if batched else torch.zeros(T, FEATURES)
    expected = (2, B, HIDDEN) if batched else (2, HIDDEN)
    with pytest.raises(ShapeError) as caught:
        layer(x, bare(layer, torch.zeros(shape)))
    one, both = (
        (f"{expected}", f"{shape}")
        if not isinstance(layer, LSTM)
        else (f"{expected} and {expected}", f"{shape} and {shape}")
    )
    assert str(caught.value) == f"{type(layer).__name__} expects a state of shape {one}; received {both}"


@pytest.mark.parametrize(
    ("kind", "hx", "received"),
    [
        ("lstm", torch.zeros(1, B, HIDDEN), "(1, 4, 5)"),
        ("lstm", torch.zeros(2, 1, B, HIDDEN), "(2, 1, 4, 5)"),
        ("lstm", (torch.zeros(1, B, HIDDEN),), "(1, 4, 5)"),
        ("lstm", (torch.zeros(1, B, HIDDEN), None), "(1, 4, 5) and a NoneType"),
        ("lstm", (), "an empty tuple"),
        ("gru", (torch.zeros(1, B, HIDDEN),), "a tuple"),
        ("tanh", 7, "a int"),
    ],
)
def test_a_state_of_another_kind_is_refused(kind: str, hx: object, received: str) -> None:
    with pytest.raises(ShapeError) as caught:
        pair(kind)[0](torch.zeros(T, B, FEATURES), hx)
    assert str(caught.value).endswith(f"; received {received}")
    assert "\n" not in str(caught.value)


@kinds
def test_resets_and_empty_sizes_that_torch_does_not_know(kind: str) -> None:
    layer, _ = pair(kind, bidirectional=True, batch_first=True)
    x = torch.randn(B, T, FEATURES)
    resets = torch.zeros(B, T, dtype=torch.bool)
    resets[:, 3] = True
    cut = torch.cat([layer(x[:, :3])[0], layer(x[:, 3:])[0]], dim=1)
    torch.testing.assert_close(layer(x, resets=resets)[0], cut)
    assert layer(x[:, :0])[0].shape == (B, 0, cut.shape[-1])
    assert layer(x[:0])[0].shape == (0, T, cut.shape[-1])
