"""What the server writes down of its work: a line of JSON each, and nothing of what people sent."""

import json
import logging
from datetime import UTC, datetime

LOGGERS = ("elman.server", "uvicorn.error")
NEEDLESS = "ASGI callable returned without completing handshake."
"""What uvicorn says of each WebSocket that is refused in words."""


class Lines(logging.Formatter):
    """Records as JSON: time, level, and what there is to say; the places of a mistake of ours, too.

    Example:
        >>> record = logging.makeLogRecord({"levelname": "INFO", "line": {"route": "/healthz"}})
        >>> Lines().format(record).partition(", ")[2]
        '"level": "info", "route": "/healthz"}'
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")}
        line["level"] = record.levelname.lower()
        line |= getattr(record, "line", None) or {"message": record.getMessage().strip()}
        if record.exc_info and record.name == "elman.server":
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line)


def write_logs() -> None:
    """Let the server's own records go to standard error, and no others."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    handler.addFilter(lambda record: record.getMessage() != NEEDLESS)
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
    logging.getLogger("python_multipart").addHandler(logging.NullHandler())
    logging.getLogger("python_multipart").propagate = False
    logging.getLogger("elman.server").setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
