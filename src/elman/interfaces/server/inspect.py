"""What goes on inside a network while it reads one input, part by part: each costs another time."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from functools import cached_property
from typing import Any, Literal

import torch
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from safetensors.torch import save
from torch import Tensor

from elman.errors import DataError, OptionError
from elman.interfaces.server.batcher import Busy, guarded
from elman.interfaces.server.predict import unless_gone
from elman.interfaces.server.problems import PROBLEMS
from elman.interfaces.server.service import Service
from elman.tasks import Inspection, Model, liveliest, units_in_order

GATES = "application/octet-stream"
AT_MOST = 16
"""Requests that wait to look inside."""
LARGEST = 65504.0
"""Of numbers with sixteen bits."""


class AskedInside(BaseModel):
    """An input, and what is to be seen of a network that reads it."""

    model_config = ConfigDict(extra="forbid")

    input: Any = Field(description="As for predict, one of it.")
    part: Literal["gates", "importance", "occlusion", "reach", "following"] = Field(
        default="gates", description="gates answers with tensors in the form of safetensors, the others with JSON."
    )
    property: str = Field(default="", max_length=200, description="What units may follow: quote, position, since:X.")


class Inside:
    """A copy of a model that is looked into by one thread: what is changed there for a while disturbs no answer.

    Args:
        service: Whose model it is.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="inside")
        self.waiting = 0

    @cached_property
    def model(self) -> Model:
        """The copy; there is none until it is wanted."""
        own = self.service.model
        return Model(own.task, deepcopy(own.network), own.config)

    async def seen(self, given: Any, asked: AskedInside) -> Any:
        """What was asked for, once its turn has come.

        Raises:
            Busy: Too many wait.
            ElmanError: The input cannot be read, or the network not be looked into.
        """
        if self.waiting >= AT_MOST:
            raise Busy(f"{self.waiting} want to look inside already; come again")
        self.waiting += 1
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self.thread, guarded, self._seen, given, asked)
        work.add_done_callback(lambda _: self._done())
        return await work

    def _done(self) -> None:
        self.waiting -= 1

    def _seen(self, given: Any, asked: AskedInside) -> Any:
        inspection, most = self.model.inspect(given), self.service.limits.inspected
        if len(inspection.steps) > most:
            raise DataError(f"{most:,} steps can be looked into; received {len(inspection.steps):,}; give less")
        if asked.part == "following":
            if not asked.property:
                raise OptionError("following expects a property; try quote, position, or since: and what to count from")
            return {"units": [vars(one) for one in inspection.tracking(asked.property)]}
        if asked.part == "importance":
            return {"importance": _finite(inspection.importance), "unexplained": inspection.unexplained}
        if asked.part == "occlusion":
            return {"occlusion": _finite(inspection.occlusion)}
        if asked.part == "reach":
            return {"reach": {name: _finite(norms) for name, norms in inspection.reach.items()}}
        return gates(inspection)


def looking(service: Service) -> APIRouter:
    """The route into a network."""
    router, inside = APIRouter(), Inside(service)

    @router.post("/v1/inspect", responses=PROBLEMS, response_class=Response)
    async def inspect(asked: AskedInside, request: Request) -> Response:
        """What goes on inside while one input is read."""
        (given,) = service.received([asked.input], {})
        found = await unless_gone(request, inside.seen(given, asked), service.limits.seconds)
        return Response(found, media_type=GATES) if isinstance(found, bytes) else JSONResponse(found)

    return router


def gates(inspection: Inspection) -> bytes:
    """All gates and states as safetensors of half precision, "layer.name" (T, U); what belongs to them as metadata."""
    layers = inspection.layers
    tensors = {f"{number}.{name}": values for number, layer in enumerate(layers) for name, values in layer.items()}
    if inspection.alignment is not None:
        tensors["alignment"] = inspection.alignment
    facts = {
        "steps": list(inspection.steps),
        "answer": inspection.answer,
        "written": list(inspection.written),
        "saturation": inspection.saturation,
        "layers": [
            {"names": list(layer), "lively": liveliest(shown, shown.shape[1]), "together": units_in_order(shown)}
            for layer in layers
            for shown in (layer.get("hidden", next(iter(layer.values()))),)
        ],
    }
    halves = {name: values.clamp(-LARGEST, LARGEST).to(torch.float16).contiguous() for name, values in tensors.items()}
    return save(halves, {"facts": json.dumps(facts, ensure_ascii=False, default=_plain)})


def _finite(values: Tensor) -> list[float]:
    """For JSON, which knows nothing that is not finite."""
    return values.nan_to_num().tolist()


def _plain(value: Any) -> Any:
    return value.as_json() if hasattr(value, "as_json") else str(value)
