"""Something said about every step of a series of numbers.

Key: T time, B batch, F features, C numbers in an answer.
"""

from torch import Tensor, nn

from elman.layers import Recurrent
from elman.models.bodies import Body
from elman.models.reader import Reader


class StepReader(Reader):
    """A recurrent body, and a linear layer at every step.

    Args:
        body: What reads the numbers.
        outputs: C.
        input_dropout: As in `Reader`.
        output_dropout: As in `Reader`.
        variational: As in `Reader`.
        noise: As in `Reader`.
    """

    def __init__(
        self,
        body: Recurrent | Body,
        outputs: int,
        *,
        input_dropout: float = 0.0,
        output_dropout: float = 0.0,
        variational: bool = False,
        noise: float = 0.0,
    ) -> None:
        super().__init__(
            None,
            body,
            input_dropout=input_dropout,
            output_dropout=output_dropout,
            variational=variational,
            noise=noise,
        )
        self.output = nn.Linear(body.output_size, outputs)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(T, B, F) -> (T, B, C)."""
        steps, _ = self.vectors(x, lengths=lengths)
        return self.output(steps)
