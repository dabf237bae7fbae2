"""A transcriber at work on sounds that are still to end, one or many side by side.

Key: T moments of a sound, F features, R moments read together, S steps, H width of the body's output, V units,
A steps that each one waits for.
"""

from collections.abc import Sequence
from weakref import finalize

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from elman.errors import OptionError
from elman.layers import LayerState, Recurrent, StateTable, compile_step, steady_linear
from elman.models.transcriber import Transcriber

NEEDS_END = (
    "this model reads whole recordings, so it cannot write while one lasts; train one with bidirectional = false"
)
FEW = 32
"""So many steps of a single sound are quicker one by one than through the layers all at once."""


class Progress:
    """How far a sound has been read.

    Args:
        features: F.
        width: H.
        table: Where the body's state lies; it has the row back when this is gone.
    """

    def __init__(self, features: int, width: int, table: StateTable) -> None:
        self.moments = torch.zeros(0, features)
        """(T, F), fewer than R: they wait for more."""
        self.outputs = torch.zeros(0, width)
        """(S, H) of the body, A at most: they wait for more."""
        self.table, self.row = table, table.take()
        finalize(self, table.give, self.row)

    @property
    def state(self) -> LayerState:
        """Of the body, a batch of one, a copy; can be set."""
        return self.table.get([self.row])

    @state.setter
    def state(self, state: LayerState) -> None:
        self.table.put([self.row], state)


class LiveTranscriber:
    """Moments in as they come; scores of steps as soon as they can be, those of the whole sound. Memory does not grow.

    Args:
        network: Reads from one end, and waits for a bounded number of steps.

    Raises:
        OptionError: It reads from both ends, or whole recordings.
    """

    def __init__(self, network: Transcriber) -> None:
        body = network.body
        if not isinstance(body, Recurrent) or body.directions == 2:
            raise OptionError(NEEDS_END)
        self.network, self.body = network.eval(), body
        self.step = compile_step(body)
        self.states = StateTable(body.initial_state(1))

    def begin(self) -> Progress:
        """A new sound."""
        features = self.body.input_size // self.network.together
        return Progress(features, self.body.output_size, self.states)

    @torch.inference_mode()
    def read(self, sounds: Sequence[Progress], x: Sequence[Tensor]) -> list[Tensor]:
        """The next moments (T, F) of each -> logarithms of probabilities (S, V + 1), none last, of complete steps."""
        steps = [self._steps(sound, moments) for sound, moments in zip(sounds, x, strict=True)]
        return self._scores(sounds, self._outputs(sounds, steps))

    @torch.inference_mode()
    def end(self, sound: Progress) -> Tensor:
        """Logarithms of probabilities (S, V + 1) of the steps that waited for more; behind the end are zeros."""
        (last,) = self.read([sound], [F.pad(sound.moments[:0], (0, 0, 0, -len(sound.moments) % self.network.together))])
        (rest,) = self._scores([sound], [sound.outputs.new_zeros(self.network.ahead, self.body.output_size)])
        return torch.cat([last, rest])

    def _steps(self, sound: Progress, x: Tensor) -> Tensor:
        """(S, R F) that are complete now."""
        x = torch.cat([sound.moments, x])
        count = len(x) // self.network.together
        sound.moments = x[count * self.network.together :].clone()
        return x[: count * self.network.together].view(count, self.body.input_size)

    def _outputs(self, sounds: Sequence[Progress], steps: Sequence[Tensor]) -> list[Tensor]:
        """Steps (S, R F) of each through the body, (S, H)."""
        rows = [row for row, x in enumerate(steps) if len(x)]
        found = [x.new_zeros(0, self.body.output_size) for x in steps]
        if len(rows) == 1 and len(steps[rows[0]]) <= FEW:
            found[rows[0]] = self._one_by_one(sounds[rows[0]], steps[rows[0]])
        elif rows:
            lengths = torch.tensor([len(steps[row]) for row in rows])
            places = [sounds[row].row for row in rows]
            y, state = self.body(pad_sequence([steps[row] for row in rows]), self.states.get(places), lengths=lengths)
            self.states.put(places, state)
            for column, row in enumerate(rows):
                found[row] = y[: len(steps[row]), column]
        return found

    def _one_by_one(self, sound: Progress, x: Tensor) -> Tensor:
        self.step.reset(sound.state)
        y = torch.stack([self.step(row) for row in x])
        sound.state = self.step.state
        return y

    def _scores(self, sounds: Sequence[Progress], y: Sequence[Tensor]) -> list[Tensor]:
        """Of those steps that have A behind them now."""
        if self.network.mix is not None:
            y = [self._ready(sound, outputs) for sound, outputs in zip(sounds, y, strict=True)]
            counts = [max(0, len(outputs) - self.network.ahead) for outputs in y]
            mixed = self._mixed([outputs for outputs, count in zip(y, counts, strict=True) if count])
        else:
            counts, mixed = [len(outputs) for outputs in y], torch.cat([*y])
        output = self.network.output
        return [*steady_linear(mixed, output.weight, output.bias).log_softmax(1).split(counts)]

    def _ready(self, sound: Progress, y: Tensor) -> Tensor:
        y = torch.cat([sound.outputs, y])
        sound.outputs = y[max(0, len(y) - self.network.ahead) :].clone()
        return y

    def _mixed(self, y: Sequence[Tensor]) -> Tensor:
        """Outputs (S + A, H), each with the A behind it, (S, H): few steps cost less as a sum than as a convolution."""
        mix = self.network.mix
        assert mix is not None
        assert mix.bias is not None
        if not y:
            return mix.bias.new_zeros(0, self.body.output_size)
        windows = torch.cat([outputs.unfold(0, self.network.ahead + 1, 1) for outputs in y])
        return (windows * mix.weight.squeeze(1)).sum(2) + mix.bias
