"""All batches of a training, epoch after epoch, as one stream that can be entered anywhere."""

from collections.abc import Iterator

from elman.tasks import Batch, Batches


class Stream:
    """`epochs` times the batches; Lightning saves and restores its position.

    To Lightning the whole training is one epoch: so there is one way only in which a training is taken up again.
    """

    def __init__(self, batches: Batches, epochs: int) -> None:
        self.batches, self.epochs = batches, epochs
        self.position = 0

    def __len__(self) -> int:
        return len(self.batches) * self.epochs

    def __iter__(self) -> Iterator[Batch]:
        while self.position < len(self):
            self.position += 1
            yield self.batches.batch(self.position - 1)

    def state_dict(self) -> dict[str, int]:
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.position = state["position"]
