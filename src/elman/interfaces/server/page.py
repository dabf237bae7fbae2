"""The page that a browser shows: its files, and what it tells of the training."""

import mimetypes
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from elman.interfaces.server.history import history
from elman.interfaces.server.service import Service

FILES = Path(__file__).parents[1] / "page"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
CHARTS = "plotly.min.js"
"""The name under which the chart library is served."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Nothing comes from elsewhere; styles within elements are the chart library's."""


@dataclass(frozen=True)
class Static:
    """A file in memory."""

    content: bytes
    kind: str
    tag: str

    @classmethod
    def of(cls, path: Path) -> "Static":
        """Read one."""
        content = path.read_bytes()
        kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return cls(content, f"{kind}; charset=utf-8", f'"{sha256(content).hexdigest()[:32]}"')

    def answer(self, request: Request) -> Response:
        """What a browser gets, which asks again whether it is still the same."""
        headers = {"etag": self.tag, "cache-control": "no-cache", "content-security-policy": POLICY}
        headers["referrer-policy"] = "no-referrer"
        if request.headers.get("if-none-match") == self.tag:
            return Response(status_code=304, headers=headers)
        return Response(self.content, media_type=self.kind, headers=headers)


def paging(service: Service, run: Path | None) -> APIRouter:
    """The routes of a page.

    Args:
        service: Whose model it shows.
        run: The folder that the model comes from.
    """
    router = APIRouter()
    files = {str(path.relative_to(FILES).as_posix()): Static.of(path) for path in FILES.rglob("*") if path.is_file()}
    charts: list[Static] = []

    @router.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        """The page itself."""
        return files["index.html"].answer(request)

    @router.get("/page/{name:path}", include_in_schema=False)
    async def part(name: str, request: Request) -> Response:
        """A file of it."""
        if name == CHARTS:
            if not charts:
                charts.append(await run_in_threadpool(_charts))
            return charts[0].answer(request)
        if name not in files:
            raise HTTPException(404, "the page has no such file")
        return files[name].answer(request)

    @router.get("/v1/run")
    async def training() -> dict[str, Any]:
        """How the model was trained: scores, curves, settings."""
        return await run_in_threadpool(history, service.model, run)

    return router


def _charts() -> Static:
    """The chart library of an installed package."""
    found = find_spec("plotly")
    if found is None or found.origin is None:
        raise HTTPException(404, "charts need the package plotly; install it with: pip install plotly")
    return Static.of(Path(found.origin).parent / "package_data" / "plotly.min.js")
