"""Pictures read by recurrent layers: every column from both ends, then every row (ReNet, Visin et al. 2015).

Key: H rows of places, W places in a row, B pictures, F features of a place, D width of a direction's output.
"""

from torch import Tensor, nn

from elman.layers.cells import Factory
from elman.layers.recurrent import Recurrent


class ReNet(nn.Module):
    """Sweeps down and up every column, and over what that gives right and left along every row.

    So each place knows of all others. The sweeps of all columns are one batch of sequences, and those of all rows
    another.

    Args:
        cell: A class or factory of cells.
        input_size: F.
        hidden_size: D.

    Shapes: (H, W, B, F) -> (H, W, B, 2 D).

    Example:
        >>> import torch
        >>> from elman.layers import GRUCell
        >>> ReNet(GRUCell, 3, 5)(torch.zeros(6, 4, 2, 3)).shape
        torch.Size([6, 4, 2, 10])
    """

    def __init__(self, cell: Factory, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.columns = Recurrent(cell, input_size, hidden_size, bidirectional=True)
        self.rows = Recurrent(cell, self.columns.output_size, hidden_size, bidirectional=True)
        self.output_size = self.rows.output_size

    def forward(self, x: Tensor) -> Tensor:
        """(H, W, B, F) -> (H, W, B, 2 D)."""
        down = _swept(self.columns, x)
        return _swept(self.rows, down.transpose(0, 1)).transpose(0, 1)


def _swept(layer: Recurrent, x: Tensor) -> Tensor:
    """A layer along the first axis of (time, lines, B, features)."""
    y, _ = layer(x.flatten(1, 2))
    return y.unflatten(1, x.shape[1:3])
