"""What a graph of `torch.compile` takes as settled when it is made: it asks once, and holds the answer.

For questions whose answer is no tensor: is somebody listening, which backend was asked for, is there a kernel?
"""

from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])


def settled(function: Function) -> Function:
    """Mark a function whose answer a graph may hold.

    As `torch.compiler.assume_constant_result`, which would import the compiler first (1.6 s).
    """
    function._dynamo_marked_constant = True  # pyright: ignore[reportFunctionMemberAccess]
    return function
