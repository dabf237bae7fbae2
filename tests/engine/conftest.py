import pytest
from jaxtyping import config


@pytest.fixture
def as_in_use():
    """Without the shape checks of the tests, so that Elman's own messages are heard."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)
