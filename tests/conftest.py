"""What every test gets: one thread, a fixed seed, and fresh memory that is full of NaN."""

import pytest
import torch
from jaxtyping import config


@pytest.fixture(autouse=True)
def _same_start_for_every_test():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)  # also fills torch.empty with NaN
    torch.utils.deterministic.fill_uninitialized_memory = True
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="session")
def rhyme() -> str:
    """A small text that a small network learns."""
    return "".join(f"{n} green bottles, hanging on the wall,\n" for n in range(99, 0, -1))


@pytest.fixture
def tiny() -> dict[str, object]:
    """Settings that train in a second."""
    return {"hidden_size": 12, "embedding_size": 6, "batch_size": 4, "window": 16, "epochs": 2, "log_every": 5}


@pytest.fixture
def as_in_use():
    """Without the shape checks of the tests, so that Elman's own messages are heard."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)
