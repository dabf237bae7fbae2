"""What a server allows."""

import os
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
    unpacked_bytes: Count = 200_000_000
    """Bytes that the files of a request may become when they are read, at most."""
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
    sessions: Count = 1000
    """Sessions that are going on at the same time, at most."""
    advanced: Count = 256
    """Sessions that one call of the network advances at most."""
    session_seconds: Annotated[float, Field(gt=0)] = 3600.0
    """Seconds that a session may last; its last message carries what it remembers."""
    idle_seconds: Annotated[float, Field(gt=0)] = 600.0
    """Seconds after which a session ends in which nothing comes."""
    message_bytes: Count = 1_000_000
    """Bytes of a message of a session at most."""
    seconds: Annotated[float, Field(gt=0)] = 60.0
    """Seconds within which a request must have come, and again until it is given up."""
    written: Count = 100_000
    """Units, chords, samples or pixels that are written for one request at most."""
    inspected: Count = 4000
    """Steps of an input at most, to look into a network while it reads them."""
    workers: Count = os.cpu_count() or 1
    """Calls of the network that run at the same time, at most; as many as there are cores, when nothing is said."""
    threads: Count = 1
    """Cores that each of them uses."""
    beam: Count = 64
    """Answers that are searched for side by side at most."""
