"""The benchmark of the engine measures what it says: peers that compute the same, checks that fail, ratios that are
the right way up."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import elman
from elman.layers import LSTMCell

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from engine.check import check, distance
from engine.contests import OWN_LSTM, Contest, make_contest
from engine.custom import CUSTOM, make_cell
from engine.findings import GOALS, METRICS, Findings, losses
from engine.picture import draw
from engine.runs import Run, layer, loop, packed, plain
from engine.shapes import ODD, SHAPES, make_batch, square, step_flops
from engine.timing import Pace, Times, interleave

SMALL = square(5, 3, 4)


@pytest.fixture(autouse=True)
def _plain_loop() -> Iterator[None]:
    """The machinery is tested here; kernels have tests of their own."""
    with elman.use_backend("eager"):
        yield


def as_cell_of(lstm: nn.LSTM) -> LSTMCell:
    """The same weights, as one step."""
    cell = LSTMCell(lstm.input_size, lstm.hidden_size).to(lstm.weight_ih_l0.dtype)
    own = dict(lstm.named_parameters())
    weights = {"weight_ih": own["weight_ih_l0"], "weight_hh": own["weight_hh_l0"]}
    cell.load_state_dict(weights | {"bias": own["bias_ih_l0"] + own["bias_hh_l0"]})
    return cell


def finding(**ratios: float) -> Findings:
    """Rows of one LSTM, forward, with the ratio to each peer; underscores stand for dots."""
    contest = Contest("lstm", "forward", square(100, 64, 512), {}, {"elman": 1e9})
    peers = {name.replace("_", "."): [ratio] * 3 for name, ratio in ratios.items()}
    found = Findings(peaks=[4e9])
    found.add(replace(contest, calls=dict.fromkeys(["elman", *peers], int)), Times({"elman": [1.0] * 3, **peers}, 0.0))
    return found


def test_the_loop_computes_what_torch_computes() -> None:
    lstm, batch = nn.LSTM(ODD.inputs, ODD.hidden).double(), make_batch(ODD).double()
    ours = Run(plain(as_cell_of(lstm)), loop, batch)
    assert distance(ours.train()[:2], Run(lstm, layer, batch).train()[:2]) < 1e-12


def test_packed_rows_compute_what_elman_computes_with_lengths() -> None:
    batch = make_batch(ODD, padded=True).double()
    theirs, ours = nn.GRU(ODD.inputs, ODD.hidden).double(), elman.GRU(ODD.inputs, ODD.hidden).double()
    ours.load_state_dict(theirs.state_dict())
    assert distance(Run(ours, layer, batch).train(), Run(theirs, packed, batch).train()) < 1e-12


@pytest.mark.parametrize("cell", ["gru", *CUSTOM])
def test_all_contestants_agree_at_odd_sizes(cell: str) -> None:
    assert make_contest(cell, "train", ODD, threads=1).check() == []


@pytest.mark.parametrize("mode", ["forward", "train"])
def test_other_libraries_agree_at_odd_sizes(mode: str) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("jax")
    contest = make_contest("lstm", mode, ODD, threads=1)
    assert "jax.lax.scan" in contest.calls
    assert contest.check() == []


def test_one_step_of_onnx_runtime_is_one_step_of_torch() -> None:
    pytest.importorskip("onnxruntime")
    from engine.step import _check, make_steppers

    lstm = nn.LSTM(7, 7).eval()
    assert _check(lstm, make_steppers(lstm, threads=1)) == []


@pytest.mark.parametrize("mode", ["forward", "train"])
def test_a_result_that_is_slightly_wrong_is_found(mode: str) -> None:
    lstm, batch = nn.LSTM(4, 4), make_batch(SMALL)
    theirs = Run(lstm, layer, batch)
    assert check(theirs, theirs, mode, {}) == []
    wrong = Run(lstm, lambda module, batch: layer(module, batch) * (1 + 1e-5), batch)
    assert "away from f64" in check(wrong, theirs, mode, {})[0]


def test_a_result_that_is_no_number_is_found() -> None:
    lstm, batch = nn.LSTM(4, 4), make_batch(SMALL)
    broken = Run(lstm, lambda module, batch: layer(module, batch) * float("nan"), batch)
    assert check(broken, Run(lstm, layer, batch), "forward", {})


def test_nothing_hides_behind_a_tensor_that_is_right() -> None:
    right, wrong = torch.ones(2), torch.full((2,), float("nan"))
    assert distance([right, wrong], [right, right]) == float("inf")
    assert distance([wrong, right], [right, right]) == float("inf")


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shape"):
        distance([torch.ones(1)], [torch.ones(3)])


def test_lengths_are_half_of_the_longest_in_the_mean() -> None:
    for shape in SHAPES:
        lengths = make_batch(shape, padded=True).lengths
        assert lengths is not None
        assert lengths.max() == shape.time
        assert shape.batch == 1 or 0.35 < lengths.float().mean() / shape.time < 0.65


def test_work_is_counted_from_the_weight_matrices() -> None:
    assert step_flops(nn.LSTM(3, 5)) == 2 * 4 * 5 * (3 + 5)
    assert step_flops(make_cell("zoneout-lstm", 3, 5)) == 2 * 4 * 5 * (3 + 5)
    assert step_flops(make_cell("gated", 3, 5)) == 2 * (4 * 5 * (3 + 5) + 5 * 15)


def test_a_copy_without_elman_records_nothing_and_computes_the_same() -> None:
    cell, batch = make_cell("peephole-lstm", 4, 4), make_batch(SMALL)
    with elman.recording() as gates:
        y = loop(plain(cell), batch)
    assert not gates
    assert torch.equal(y, loop(cell, batch))


def test_weights_count_as_changed_at_every_call() -> None:
    lstm = nn.LSTM(4, 4)
    run = Run(lstm, layer, make_batch(SMALL))
    before = lstm.weight_hh_l0._version
    run.forward()
    run.train()
    replace(run, changed=False).forward()
    assert lstm.weight_hh_l0._version == before + 2


def test_everybody_has_every_round() -> None:
    times = interleave({"a": lambda: sum(range(10_000)), "b": lambda: None}, Pace(2, 2, 0.0))
    rounds = {len(seconds) for seconds in times.seconds.values()}
    assert len(rounds) == 1
    assert rounds.pop() >= 2
    assert min(times.seconds["a"]) > max(times.seconds["b"])


def test_a_ratio_above_one_says_that_elman_is_faster() -> None:
    found = finding(torch_nn=2.0, onnxruntime=0.5)
    assert [row["ratio"] for row in found.rows] == [2.0, 0.5]
    assert [row["peer"] for row in losses(found.rows)] == ["onnxruntime"]


def test_a_custom_cell_is_compared_with_the_own_lstm_at_equal_work() -> None:
    calls = dict.fromkeys(["elman", OWN_LSTM], int)
    contest = Contest("ligru", "train", SMALL, calls, {"elman": 1e9, OWN_LSTM: 2e9})
    found = Findings()
    found.add(contest, Times({"elman": [1.0] * 3, OWN_LSTM: [1.0] * 3}, 0.0))
    assert found.metrics()["custom_vs_own_lstm_min"] == 0.5


def test_metrics_have_the_keys_of_the_issue_and_none_where_a_shape_was_wrong() -> None:
    found = finding(torch_nn=2.0)
    found.add_shares()
    metrics = found.metrics()
    assert list(metrics) == list(GOALS)
    assert set(METRICS) < set(GOALS)
    assert metrics["lstm_forward_vs_torch"] == pytest.approx(2.0)
    assert metrics["fma_share_forward"] == pytest.approx(0.25)
    assert metrics["gru_train_vs_torch"] is None
    found.refuse("lstm", "forward", "100,1,128", ["NaN"])
    assert found.metrics()["lstm_forward_vs_torch"] is None


def test_what_breaks_is_wrong_and_the_run_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    found = Findings()
    with found.guarded("lstm", "train", "1,1,1"):
        raise ValueError("broken")
    assert found.wrong == ["lstm train 1,1,1: ValueError: broken"]
    assert "Traceback" in capsys.readouterr().err


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    draw(finding(torch_nn=2.0, onnxruntime=0.5).rows, "a machine", tmp_path / "engine.png")
    assert (tmp_path / "engine.png").stat().st_size > 1000


def test_the_peak_is_that_of_a_processor() -> None:
    pytest.importorskip("llvmlite")
    from engine.peak import peak

    assert 1e9 < peak(threads=1, rounds=2) < 1e12
