"""PyTorch's layers swapped inside a model: the same modules and parameters, the same numbers."""

import copy
import io

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from elman.errors import CellError
from elman.layers import GRU, LSTM, RNN, GRUCell, Recurrent, accelerate

T, B, FEATURES, HIDDEN = 6, 3, 4, 5
LAYERS = {
    "lstm": lambda: nn.LSTM(FEATURES, HIDDEN, num_layers=2, bidirectional=True, batch_first=True),
    "projected": lambda: nn.LSTM(FEATURES, HIDDEN, proj_size=2, bias=False),
    "gru": lambda: nn.GRU(FEATURES, HIDDEN, num_layers=2, dropout=0.5),
    "relu": lambda: nn.RNN(FEATURES, HIDDEN, nonlinearity="relu", bidirectional=True),
    "tanh": lambda: nn.RNN(FEATURES, HIDDEN),
}


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(9, FEATURES)
        self.body = nn.Sequential(nn.LSTM(FEATURES, HIDDEN))
        self.alias = self.body[0]
        self.head = nn.Linear(HIDDEN, 9)

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(self.embedding(numbers))[0])


def loss_of(model: Tagger) -> torch.Tensor:
    numbers = torch.arange(T * B).view(T, B) % 9
    return nn.functional.cross_entropy(model(numbers).flatten(0, 1), numbers.flatten())


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("kind", LAYERS)
def test_same_numbers(kind: str) -> None:
    layer = LAYERS[kind]().eval()
    x = torch.randn(B, T, FEATURES)
    theirs, their_state = layer(x)
    assert accelerate(layer).swapped == {"": type(layer).__name__}
    ours, our_state = layer(x)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(our_state, their_state)
    assert isinstance(layer, LSTM | GRU | RNN)


def test_module_parameters_and_optimiser_stay() -> None:
    model, reference = Tagger(), Tagger()
    reference.load_state_dict(model.state_dict())
    parameters, layer, names = list(model.parameters()), model.alias, list(model.state_dict())
    optimisers = [torch.optim.Adam(each.parameters(), lr=0.1) for each in (model, reference)]
    report = accelerate(model)
    assert report.swapped == {"body.0": "LSTM"}
    assert type(model.alias) is LSTM
    assert model.alias is model.body[0] is layer
    assert all(a is b for a, b in zip(parameters, model.parameters(), strict=True))
    assert list(model.state_dict()) == names
    for _ in range(5):
        for each, optimiser in zip((model, reference), optimisers, strict=True):
            optimiser.zero_grad()
            loss_of(each).backward()
            optimiser.step()
    torch.testing.assert_close(loss_of(model), loss_of(reference), rtol=1e-4, atol=1e-4)  # five steps of Adam apart


def test_mode_hooks_and_dtype_stay() -> None:
    layer = nn.GRU(FEATURES, HIDDEN).double().eval()
    heard: list[nn.Module] = []
    layer.register_forward_hook(lambda module, *_: heard.append(module))
    layer.weight_hh_l0.requires_grad_(False)
    accelerate(layer)
    layer(torch.randn(T, B, FEATURES, dtype=torch.float64))
    assert heard == [layer]
    assert not layer.training
    assert not layer.weight_hh_l0.requires_grad


def test_tied_weights_stay_tied() -> None:
    model = nn.ModuleList([nn.RNN(HIDDEN, HIDDEN), nn.RNN(HIDDEN, HIDDEN)])
    model[1].weight_hh_l0 = model[0].weight_hh_l0
    accelerate(model)
    assert model[1].weight_hh_l0 is model[0].weight_hh_l0
    sum(each(torch.randn(T, B, HIDDEN))[0].sum() for each in model).backward()
    assert len(list(model.parameters())) == 7


def test_a_second_call_finds_nothing() -> None:
    model = Tagger()
    accelerate(model)
    report = accelerate(model)
    assert not report.swapped
    assert not report.left
    assert str(report).startswith("nothing to swap")


def test_what_is_left_and_why() -> None:
    class Mine(nn.LSTM):
        pass

    replaced = nn.GRU(3, 4)
    replaced.forward = lambda *_: None
    model = nn.ModuleDict(
        {
            "cell": nn.LSTMCell(3, 4),
            "mine": Mine(3, 4),
            "normed": weight_norm(nn.GRU(3, 4), "weight_hh_l0"),
            "replaced": replaced,
            "elsewhere": nn.LSTM(3, 4, device="meta"),
            "small": nn.LSTM(3, 4, dtype=torch.bfloat16),
            "linear": nn.Linear(3, 4),
            "ours": Recurrent(GRUCell, 3, 4),
            "wrapped": Recurrent(nn.GRUCell, 3, 4),
        }
    )
    report = accelerate(model)
    assert not report.swapped
    words = {
        "cell": "one step", "mine": "class of its own", "normed": "class of its own", "replaced": "forward",
        "elsewhere": "meta", "small": "bfloat16",
    }  # fmt: skip
    assert report.left.keys() == words.keys()
    assert all(word in report.left[name] for name, word in words.items())
    assert str(report).count("\n") == len(words) - 1


def test_copies_and_files() -> None:
    model = Tagger()
    accelerate(model)
    twin = copy.deepcopy(model)
    assert torch.equal(loss_of(twin), loss_of(model))
    assert twin.alias is twin.body[0]
    stock = Tagger()
    stock.load_state_dict(model.state_dict())
    torch.testing.assert_close(loss_of(stock), loss_of(model))
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    assert torch.equal(loss_of(torch.load(file, weights_only=False)), loss_of(model))


def test_no_randomness_is_used_up() -> None:
    model = Tagger()
    before = torch.get_rng_state()
    accelerate(model)
    assert torch.equal(torch.get_rng_state(), before)


def test_no_module() -> None:
    with pytest.raises(CellError, match=r"torch\.nn\.Module; received list"):
        accelerate([nn.LSTM(3, 4)])  # pyright: ignore[reportArgumentType]
