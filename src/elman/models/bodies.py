"""What can stand in the place of recurrent layers, to compare with them: torch's own layers, nothing of ours.

Key: T time, B batch, I input width, H output width.
"""

from abc import abstractmethod
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from elman.engine import within, without_padding
from elman.errors import OptionError
from elman.layers import with_places


class Body(nn.Module):
    """Reads vectors (T, B, I), and puts out (T, B, H), as recurrent layers do; but carries no state.

    Args:
        input_size: I.
        output_size: H.
    """

    directions = 1

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.input_size, self.output_size = input_size, output_size

    @abstractmethod
    def read(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """The outputs; what stands past the lengths does not matter."""

    def forward(self, x: Tensor, state: Any = None, *, lengths: Tensor | None = None) -> tuple[Tensor, tuple[()]]:
        return without_padding(self.read(without_padding(x, lengths), lengths), lengths), ()


class TransformerBody(Body):
    """A Transformer's encoder (Vaswani et al. 2017): every step looks at all others.

    Args:
        input_size: I.
        hidden_size: H.
        num_layers: How many layers.
        dropout: Share dropped within and behind each part of a layer.
        heads: Looks side by side.

    Raises:
        OptionError: The width does not divide by the heads.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int, dropout: float, heads: int = 4) -> None:
        super().__init__(input_size, hidden_size)
        if hidden_size % heads:
            raise OptionError(f"hidden_size of a transformer must divide by {heads}; received {hidden_size}")
        self.enter = nn.Linear(input_size, hidden_size)
        layer = nn.TransformerEncoderLayer(
            hidden_size, heads, 2 * hidden_size, dropout, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, num_layers, nn.LayerNorm(hidden_size), enable_nested_tensor=False)

    def read(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        hidden = None if lengths is None else ~within(lengths, len(x)).t()
        x = with_places(self.enter(x)).transpose(0, 1)
        return self.layers(x, src_key_padding_mask=hidden).transpose(0, 1)


class ConvolutionBody(Body):
    """Convolutions over time, each layer twice as far apart, with residuals (Bai, Kolter and Koltun 2018).

    Args:
        input_size: I.
        hidden_size: H.
        num_layers: How many layers.
        dropout: Share of features dropped behind each.
        width: Steps that a convolution sees.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int, dropout: float, width: int = 5) -> None:
        super().__init__(input_size, hidden_size)
        self.enter = nn.Linear(input_size, hidden_size)
        self.layers = nn.ModuleList(
            nn.Conv1d(hidden_size, hidden_size, width, padding="same", dilation=2**number)
            for number in range(num_layers)
        )
        self.dropout = nn.Dropout(dropout)

    def read(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        x = self.enter(x)
        for layer in self.layers:
            seen = layer(without_padding(x, lengths).permute(1, 2, 0)).permute(2, 0, 1)
            x = x + self.dropout(seen.relu())
        return x


class StepwiseBody(Body):
    """A multi-layer perceptron for each step by itself: what can be known without any order.

    Args:
        input_size: I.
        hidden_size: H.
        num_layers: How many layers.
        dropout: Share of features dropped behind each.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int, dropout: float) -> None:
        super().__init__(input_size, hidden_size)
        sizes = [input_size] + [hidden_size] * num_layers
        layers = [nn.Sequential(nn.Linear(a, b), nn.ReLU(), nn.Dropout(dropout)) for a, b in pairwise(sizes)]
        self.layers = nn.Sequential(*layers)

    def read(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        return self.layers(x)


class WindowBody(StepwiseBody):
    """A multi-layer perceptron for all steps of a window together; its output stands at the last one.

    Args:
        input_size: I.
        hidden_size: H.
        num_layers: How many layers.
        dropout: Share of features dropped behind each.
        window: T.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int, dropout: float, window: int) -> None:
        super().__init__(window * input_size, hidden_size, num_layers, dropout)
        self.input_size = input_size

    def read(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        return self.layers(x.transpose(0, 1).flatten(1)).unsqueeze(0)


BODIES = {"transformer": TransformerBody, "cnn": ConvolutionBody, "mlp": StepwiseBody}
