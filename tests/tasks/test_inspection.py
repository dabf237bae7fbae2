"""Looking into networks: what is seen is what happens, and what matters is what changes the answer."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.interfaces.test_uploads import classes, fresh, moving

import elman
from elman.data import brightness, labelled_motifs, made_calls, made_scenes, made_videos
from elman.engine import recording
from elman.errors import DataError, OptionError
from elman.layers import LSTM, GRUCell, Recurrent
from elman.tasks import Inspection, Model
from elman.tasks.inspection.case import Case
from elman.tasks.inspection.importance import integrated_gradients, occlusion
from elman.tasks.inspection.units import correlations, liveliest, property_of, saturation, units_in_order

SMALL: dict[str, Any] = {"hidden_size": 6, "epochs": 1}


def test_states_are_heard_where_somebody_wants_them() -> None:
    layer, x = LSTM(3, 4), torch.randn(5, 2, 3)
    with recording() as gates:
        layer(x)
    assert set(gates[0]) == {"input_gate", "forget_gate", "output_gate", "candidate"}
    with recording(states=True) as heard:
        y, (hidden, cell) = layer(x, lengths=torch.tensor([5, 3]))
    torch.testing.assert_close(heard[0]["hidden"][:3], y[:3])
    torch.testing.assert_close(heard[0]["hidden"][-1], hidden[0])
    torch.testing.assert_close(heard[0]["cell"][-1], cell[0])
    with recording(states=True) as heard:
        Recurrent(GRUCell, 3, 4)(x)
    assert {"hidden"} == {name for name in heard[0] if name not in gates[0]} - {"reset_gate", "update_gate"}


def linear_case() -> tuple[Case, torch.Tensor]:
    """A body without time, so that what each step adds to the score is known."""
    weights = torch.tensor([3.0, 0.0, -2.0, 1.0])
    x = torch.tensor([1.0, 5.0, 2.0, -1.0]).view(4, 1, 1)
    body = torch.nn.Identity()
    return Case(list("abcd"), body, "", lambda: (body(x)[:, 0, 0] * weights).sum()), x.flatten() * weights


def test_of_a_sum_each_step_has_its_own_term() -> None:
    case, terms = linear_case()
    shares, missing = integrated_gradients(case)
    torch.testing.assert_close(shares, terms)
    assert missing == pytest.approx(0, abs=1e-5)
    torch.testing.assert_close(occlusion(case), terms)


def test_shares_add_up_to_what_the_input_changes() -> None:
    torch.manual_seed(0)
    body, x = LSTM(3, 5), torch.randn(7, 1, 3)
    case = Case(["x"] * 7, body, "", lambda: body(x)[0][-1].square().sum())
    shares, missing = integrated_gradients(case, points=200)
    with torch.no_grad(), case.reading(torch.zeros_like):
        nothing = case.score()
    with torch.no_grad():
        assert float(shares.sum()) == pytest.approx(float(case.score() - nothing), rel=1e-3)
    assert abs(missing) < 1e-3
    assert torch.equal(case.vectors(), x)


def test_long_inputs_are_hidden_in_stretches() -> None:
    x = torch.ones(300, 1, 1)
    body = torch.nn.Identity()
    falls = occlusion(Case(["x"] * 300, body, "", lambda: body(x).sum()))
    torch.testing.assert_close(falls, torch.ones(300))


def test_units_that_move_together_stand_together() -> None:
    time = torch.linspace(0, 12, 200)
    values = torch.stack([time.sin(), time.cos(), 3 * time.sin(), -time.sin(), 2 * time.cos()], 1)
    order = units_in_order(values)
    places = {unit: place for place, unit in enumerate(order)}
    assert abs(places[0] - places[2]) == 1
    assert abs(places[1] - places[4]) == 1
    assert liveliest(values, 2) == [2, 4]
    assert units_in_order(torch.zeros(1, 3)) == [0, 1, 2]


def test_correlations_are_those_of_numpy() -> None:
    torch.manual_seed(0)
    values, known = torch.randn(40, 3), torch.randn(40)
    values[:, 2] = 1
    found = correlations(values, known.tolist())
    for unit in (0, 1):
        expected = torch.corrcoef(torch.stack([values[:, unit], known]))[0, 1]
        assert float(found[unit]) == pytest.approx(float(expected), abs=1e-5)
    assert found[2] == 0
    with pytest.raises(OptionError, match="a number for each of the 40 steps; received 3"):
        correlations(values, [1, 2, 3])


def test_properties_of_text() -> None:
    assert property_of(list("ab\ncd"), "position") == [0, 1, 2, 0, 1]
    assert property_of(list("a b"), "since: ") == [0, 0, 1]
    assert property_of(["he", " said", ' "', "go", '"', "."], "quote") == [0, 0, 1, 1, 1, 0]
    assert property_of(["one", ",", " two", " three"], "since:,") == [0, 0, 1, 2]
    with pytest.raises(OptionError, match="there is no property 'verb'; expected quote, position"):
        property_of(["a"], "verb")


def test_saturation_counts_both_ends() -> None:
    assert saturation(torch.tensor([[0.01, 0.5], [0.05, 0.95]])) == {"shut": 0.5, "open": 0.25}


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory, rhyme: str) -> Model:
    folder = tmp_path_factory.mktemp("writer")
    (folder / "a.txt").write_text(rhyme * 3)
    return elman.train("generate", train=folder / "a.txt", out=folder / "run", window=8, batch_size=4, **SMALL)


def test_a_text_is_looked_into_unit_by_unit(writer: Model) -> None:
    seen = writer.inspect("the ")
    assert list(seen.steps) == list("the ")
    assert seen.answer == writer.predict("the ", length=1, temperature=0)[0]
    assert {name: values.shape for name, values in seen.layers[0].items()}["forget_gate"] == (4, 6)
    assert abs(seen.unexplained) < 0.05
    assert set(seen.reach) == {"this model", "elman, untrained", "gru, untrained", "lstm, untrained"}
    assert all(len(norms) == 4 for norms in seen.reach.values())
    assert set(seen.saturation[0]) == {"input_gate", "forget_gate", "output_gate"}
    best = seen.tracking([0.0, 1.0, 2.0, 3.0], count=3)
    assert len(best) == 3
    assert abs(best[0].correlation) >= abs(best[2].correlation)
    assert {one.name for one in best} <= {"hidden", "cell"}
    assert seen.as_json()["steps"] == list("the ")


def test_looking_does_not_change_what_is_said(writer: Model) -> None:
    before = writer.predict("the ", seed=1)
    state = torch.get_rng_state()
    writer.inspect("the ")
    assert torch.equal(torch.get_rng_state(), state)
    assert writer.predict("the ", seed=1) == before
    assert all(parameter.grad is None for parameter in writer.network.parameters())


OTHERS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "classify": ("classify", labelled_motifs().inputs[0], {}),
    "words": ("tag", "The AAB and b", {}),
    "steps": ("tag", torch.randn(9, 1).numpy(), {"kind": "steps"}),
    "translate": ("translate", "French: 17", {"embedding_size": 8}),
    "forecast": ("forecast", "", {}),
    "chords": ("generate", [[60, 64], [62, 65], []], {"kind": "chords"}),
    "transcribe": ("transcribe", made_calls(1).inputs[0], {}),
    "own cell": ("classify", "TATA GG", {"cell": "examples/own_cell.py:MinimalGatedCell"}),
    "both ways, two layers": ("classify", "TATA GG", {"num_layers": 2, "cell": "gru"}),
}


@pytest.mark.parametrize(("task", "given", "settings"), OTHERS.values(), ids=OTHERS)
def test_every_task_and_cell_can_be_looked_into(task: str, given: Any, settings: Any, tmp_path: Path) -> None:
    model = elman.train(task, out=tmp_path / "run", **SMALL | settings)
    seen: Inspection = model.inspect(given)
    assert len(seen.steps) == len(seen.importance) == len(seen.occlusion) > 1
    assert all(values.shape[0] == len(seen.steps) for layer in seen.layers for values in layer.values())
    assert len(seen.layers) == settings.get("num_layers", 1) * model.network.get_submodule(_body(task)).directions
    assert all("hidden" in layer for layer in seen.layers)
    assert seen.importance.isfinite().all()
    if task == "translate":
        assert seen.alignment is not None
        assert seen.alignment.shape == (len(seen.written), len(seen.steps))


def _body(task: str) -> str:
    return "body.encoder" if task == "translate" else "body"


def test_what_cannot_be_looked_into_says_so(writer: Model, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the input is empty"):
        writer.inspect("")
    model = elman.train("classify", out=tmp_path / "run", network="cnn", **SMALL)
    with pytest.raises(OptionError, match="no recurrent layers to look into"):
        model.inspect("TATA GG")


FRAMES = made_videos(1).frames[0][:6]
PICTURE = made_scenes().images[0]
OWN = "examples/own_cell.py:MinimalGatedCell"
NOT_FUSED = """
import torch
from elman import Cell

class Choosy(Cell):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.mix = torch.nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x, state):
        value = torch.tanh(self.mix(torch.cat([x, state[0]], 1)))
        value = value if float(value.detach().mean()) > 0 else value * 0.5
        value = self.record("value", value)
        return value, (value,)
"""
"""What it does depends on the numbers, so no kernel comes of it."""

MORE: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "boxes": ("tag", FRAMES, {"kind": "boxes"}),
    "boxes, both ways, two layers, own cell": ("tag", FRAMES, {"kind": "boxes", "num_layers": 2, "cell": OWN}),
    "scenes": ("tag", PICTURE, {"kind": "scenes"}),
    "scenes by pixels": ("tag", PICTURE, {"kind": "scenes", "patch": 1, "num_layers": 2, "cell": "gru"}),
    "an image that goes on": ("generate", PICTURE, {"kind": "images"}),
    "a new image, own cell, two layers": ("generate", "", {"kind": "images", "num_layers": 2, "cell": OWN}),
    "videos": ("generate", FRAMES, {"kind": "video", "patch": 4}),
    "videos, two layers": ("generate", FRAMES, {"kind": "video", "patch": 5, "num_layers": 2}),
    "sounds": ("generate", made_calls(1).inputs[0], {"kind": "sound"}),
    "segments": ("forecast", "", {"decode": "segment", "segment": 5, "horizon": 12, "context": 23}),
    "steps fed back": ("forecast", "", {"decode": "recursive", "horizon": 3}),
    "no kernel": ("classify", "TATA GG", {"cell": "choosy.py:Choosy"}),
    "no kernel, boxes": ("tag", FRAMES, {"kind": "boxes", "cell": "choosy.py:Choosy"}),
    "no kernel, images": ("generate", PICTURE, {"kind": "images", "cell": "choosy.py:Choosy"}),
}


@pytest.mark.filterwarnings("ignore:.* runs on eager")
@pytest.mark.parametrize(("task", "given", "settings"), MORE.values(), ids=MORE)
def test_every_kind_can_be_looked_into(task: str, given: Any, settings: Any, tmp_path: Path) -> None:
    if "choosy" in settings.get("cell", ""):
        (tmp_path / "choosy.py").write_text(NOT_FUSED)
        settings = settings | {"cell": f"{tmp_path}/choosy.py:Choosy"}
    model = fresh(task, **settings)
    before = json.dumps(model.task.case(model.network, given).answer)
    seen = model.inspect(given)
    assert len(seen.steps) == len(set(seen.steps)) == len(seen.importance) == len(seen.occlusion) > 1
    shapes = [values.shape for layer in seen.layers for values in layer.values()]
    assert all(len(shape) == 2 and shape[0] == len(seen.steps) for shape in shapes)
    assert all("hidden" in layer for layer in seen.layers)
    assert all(len(norms) == len(seen.steps) and norms.isfinite().all() for norms in seen.reach.values())
    assert seen.importance.isfinite().all()
    assert json.dumps(seen.answer) == before
    assert seen.as_json()["layers"]
    assert all(parameter.grad is None for parameter in model.network.parameters())


@pytest.mark.filterwarnings("ignore:.* runs on eager")
def test_layers_over_time_expect_what_the_steps_expect() -> None:
    model = fresh("generate", kind="video", patch=4, num_layers=2)
    frames = brightness(FRAMES).unsqueeze(1)
    network = model.network
    expected = network(frames, 1)[-1]
    torch.testing.assert_close(network.expected(network.over_time()(network.read(frames))[1]), expected)
    (next_one,) = model.predict([FRAMES], length=1, given=6)
    assert model.inspect(FRAMES).answer == next_one[0]


@pytest.mark.parametrize("make", [classes, moving], ids=["images", "videos"])
def test_pictures_and_videos_of_classes(make: Any, tmp_path: Path) -> None:
    model = fresh("classify", make(tmp_path))
    given = model.task.read_inputs(next(tmp_path.rglob("*.png" if make is classes else "*.npz")))[0]
    seen = model.inspect(given)
    assert len(seen.steps) == len(given) == len(seen.importance) == len(seen.layers[0]["hidden"])


def test_of_a_document_the_steps_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("good it is good . yes .\nbad it is bad . no .\n" * 20)
    model = fresh("classify", tmp_path / "a.txt", pooling="hierarchical", units="word")
    seen = model.inspect("it is good . no . yes")
    assert seen.steps == ["it is good .", "no .", "yes"]
    assert len(seen.importance) == len(seen.layers[0]["hidden"]) == 3


def test_of_an_image_the_kept_rows_stay() -> None:
    model = fresh("generate", kind="images")
    assert model.inspect(PICTURE).answer == model.predict([PICTURE])[0]
