"""A transcriber at work on a sound that is still to end.

Key: T moments of the sound, F features, R moments read together, S steps, H width of the body's output, V units,
A steps that each one waits for.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from elman.errors import OptionError
from elman.layers import Recurrent, compile_step
from elman.models.transcriber import Transcriber

NEEDS_END = (
    "this model reads whole recordings, so it cannot write while one lasts; train one with bidirectional = false"
)
FEW = 32
"""So many steps are quicker one by one than through the layers all at once."""


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
        self.restart()

    def restart(self) -> None:
        """Begin anew."""
        self.step.reset()
        self.moments = torch.zeros(0, self.body.input_size // self.network.together)
        """(T, F), fewer than R: they wait for more."""
        self.outputs = torch.zeros(0, self.body.output_size)
        """(S, H) of the body, A at most: they wait for more."""

    @torch.inference_mode()
    def read(self, x: Tensor) -> Tensor:
        """The next moments (T, F) -> logarithms of probabilities (S, V + 1), none last, of steps that are complete."""
        x = torch.cat([self.moments, x])
        count = len(x) // self.network.together
        self.moments = x[count * self.network.together :].clone()
        return self._scores(self._outputs(x[: count * self.network.together].view(count, self.body.input_size)))

    @torch.inference_mode()
    def end(self) -> Tensor:
        """Logarithms of probabilities (S, V + 1) of the steps that waited for more; behind the end are zeros."""
        last = self.read(F.pad(self.moments[:0], (0, 0, 0, -len(self.moments) % self.network.together)))
        return torch.cat([last, self._scores(self.outputs.new_zeros(self.network.ahead, self.body.output_size))])

    def _outputs(self, x: Tensor) -> Tensor:
        """Steps (S, R F) through the body, (S, H)."""
        if not len(x):
            return x.new_zeros(0, self.body.output_size)
        if len(x) <= FEW:
            return torch.stack([self.step(row) for row in x])
        y, self.step.state = self.body(x.unsqueeze(1), self.step.state)
        return y.squeeze(1)

    def _scores(self, y: Tensor) -> Tensor:
        """Of those steps that have A behind them now."""
        if self.network.mix is not None:
            y = torch.cat([self.outputs, y])
            count = max(0, len(y) - self.network.ahead)
            self.outputs = y[count:].clone()
            y = self._mixed(y) if count else y[:0]
        return self.network.output(y).log_softmax(1)

    def _mixed(self, y: Tensor) -> Tensor:
        """Outputs (S + A, H), each with the A behind it, (S, H): few steps cost less as a sum than as a convolution."""
        mix = self.network.mix
        assert mix is not None
        assert mix.bias is not None
        return (y.unfold(0, self.network.ahead + 1, 1) * mix.weight.squeeze(1)).sum(2) + mix.bias
