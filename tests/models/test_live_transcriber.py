"""Scores of a sound while it comes are those of the whole sound."""

from typing import Any

import pytest
import torch
from torch import nn

from elman.errors import OptionError
from elman.layers import GRUCell, LSTMCell, Recurrent
from elman.models import BODIES, LiveTranscriber, Transcriber

PLAIN: dict[str, Any] = {"cell": LSTMCell, "together": 1, "ahead": 0, "num_layers": 1}


@pytest.mark.parametrize(
    "settings",
    [{}, {"together": 3}, {"ahead": 1}, {"ahead": 50}, {"together": 4, "ahead": 7, "num_layers": 2}, {"cell": GRUCell}],
)
@pytest.mark.parametrize("moments", [1, 2, 63, 200])
def test_scores_are_those_of_the_whole(settings: dict[str, Any], moments: int) -> None:
    options = PLAIN | settings
    together = options["together"]
    body = Recurrent(options["cell"], 6 * together, 10, num_layers=options["num_layers"], dropout=0.5, zoneout=0.1)
    network = Transcriber(body, 5, together=together, ahead=options["ahead"], input_dropout=0.5).eval()
    x = torch.randn(moments, 6)
    expected = network(x.unsqueeze(1), torch.tensor([moments]))[0][:, 0]
    live = LiveTranscriber(network.train())
    for size in (1, 7, 130, 200):
        sound = live.begin()
        scores = torch.cat([*(live.read([sound], [piece])[0] for piece in x.split(size)), live.end(sound)])
        torch.testing.assert_close(scores, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("settings", [{}, {"together": 3, "ahead": 2}])
def test_sounds_side_by_side_do_not_notice_each_other(settings: dict[str, Any]) -> None:
    options = PLAIN | settings
    body = Recurrent(LSTMCell, 6 * options["together"], 10, num_layers=2)
    live = LiveTranscriber(Transcriber(body, 5, together=options["together"], ahead=options["ahead"]))
    sounds = [torch.randn(length, 6) for length in (40, 3, 17, 80)]
    alone = []
    for x in sounds:
        one = live.begin()
        alone.append(torch.cat([*live.read([one], [x]), live.end(one)]))
    several, found = [live.begin() for _ in sounds], [[] for _ in sounds]
    for start in range(0, 80, 9):
        pieces = [x[start : start + 9] for x in sounds]
        for scores, new in zip(found, live.read(several, pieces), strict=True):
            scores.append(new)
    for one, scores, expected in zip(several, found, alone, strict=True):
        torch.testing.assert_close(torch.cat([*scores, live.end(one)]), expected, atol=1e-5, rtol=1e-5)


def test_no_step_waits_for_more_than_it_must() -> None:
    live = LiveTranscriber(Transcriber(Recurrent(GRUCell, 8, 4), 3, together=2, ahead=2))
    sound = live.begin()
    assert [len(live.read([sound], [torch.zeros(1, 4)])[0]) for _ in range(8)] == [0, 0, 0, 0, 0, 1, 0, 1]
    assert len(live.end(sound)) == 2


@pytest.mark.parametrize("body", [Recurrent(GRUCell, 4, 3, bidirectional=True), BODIES["cnn"](4, 3, 1, 0.0)])
def test_whoever_reads_all_cannot_go_on_step_by_step(body: nn.Module) -> None:
    with pytest.raises(OptionError, match="reads whole recordings, so it cannot write while one lasts"):
        LiveTranscriber(Transcriber(body, 3))  # type: ignore
