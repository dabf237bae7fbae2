"""The language model: its parts, and that every option reaches them."""

import pytest
import torch

from elman.errors import OptionError
from elman.layers import LSTMCell, ProjectedLSTMCell
from elman.models import LanguageModel

TOKENS = torch.arange(30).view(10, 3)


def make(cell=LSTMCell, **settings) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(30, cell, **{"embedding_size": 6, "hidden_size": 6, "num_layers": 2} | settings)


def test_shapes_and_state():
    model = make(hidden_size=8)
    scores, state = model(TOKENS)
    assert scores.shape == (10, 3, 30)
    first, carried = model(TOKENS[:4])
    torch.testing.assert_close(torch.cat([first, model(TOKENS[4:], carried)[0]]), scores)
    assert len(state) == 2


def test_tied_uses_one_matrix_and_a_last_layer_of_its_width():
    model = make(tied=True, hidden_size=9)
    assert model.output.weight is model.embedding.weight
    assert [cell.output_size for cell in model.body.cells] == [9, 6]
    with pytest.raises(OptionError, match="tied expects a last layer as wide as the embedding, 6; received 3"):
        make(lambda i, h: ProjectedLSTMCell(i, h, proj_size=h // 2), tied=True)


DROPS = ["word_dropout", "input_dropout", "dropout", "output_dropout", "recurrent_dropout", "zoneout", "weight_drop"]


@pytest.mark.parametrize("name", DROPS)
def test_what_drops_acts_in_training_only(name):
    plain, model = make(), make(**{name: 0.5})
    model.load_state_dict(dict(zip(model.state_dict(), plain.state_dict().values(), strict=True)))
    assert not torch.equal(model(TOKENS)[0], model(TOKENS)[0])
    model.eval()
    same = torch.allclose(model(TOKENS)[0], plain.eval()(TOKENS)[0])
    assert same is (name != "zoneout")  # which takes the expectation in evaluation


def test_residual_reaches_the_body():
    assert not torch.allclose(make(residual=True)(TOKENS)[0], make()(TOKENS)[0])


@pytest.mark.parametrize("place", ["input_dropout", "output_dropout"])
@pytest.mark.parametrize("variational", [True, False])
def test_variational_keeps_one_mask_for_all_steps(place, variational, monkeypatch):
    model = make(**{place: 0.5}, variational=variational)
    model.embedding = torch.nn.Identity()
    dropped = model.drop(torch.ones(10, 3, 6), 0.5)
    assert bool((dropped == dropped[0]).all()) is variational
    assert make(variational=variational).body.dropout_per == ("sequence" if variational else "step")
