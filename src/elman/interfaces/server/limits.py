"""What a server allows."""

from typing import Annotated

from pydantic import Field

from elman.tasks import Count, Options

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Limits(Options):
    """How much a stranger may ask for."""

    host: str = "127.0.0.1"
    """Where to listen; anything but this machine itself needs a token."""
    port: Annotated[int, Field(ge=1, lt=65536)] = 8000
    """The port to listen on."""
    body_bytes: Count = 10_000_000
    """Bytes of a request at most."""
    text_length: Count = 20_000
    """Characters of an input at most."""
    inputs: Count = 256
    """Inputs of a request at most."""
    together: Count = 64
    """Inputs that one call of the network answers at most."""
    queue: Count = 1024
    """Inputs that wait at most; more are refused for the moment."""
    streams: Count = 64
    """Answers that are sent piece by piece at the same time, at most."""
    seconds: Annotated[float, Field(gt=0)] = 60.0
    """Seconds within which a request must have come, and again until it is given up."""
    written: Count = 100_000
    """Units, chords, samples or pixels that are written for one request at most."""
    inspected: Count = 4000
    """Steps of an input at most, to look into a network while it reads them."""
    beam: Count = 64
    """Answers that are searched for side by side at most."""
