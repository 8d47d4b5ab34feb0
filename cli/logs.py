"""What happens, as lines on the error stream: for people, or as JSON for programs."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Annotated

import typer

from flows.about import Filled, facts_of


class JsonLines(logging.Formatter):
    """A JSON object a line: `time` (UTC), `level`, `logger`, `message`, and what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **facts_of(record),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


LogJson = Annotated[
    bool, typer.Option("--log-json", help="Log what happens as JSON lines on the error stream.")
]


def log_lines(*, as_json: bool, level: int) -> None:
    """Write what roomtone logs from this level on to the error stream."""
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S")
    handler.setFormatter(JsonLines() if as_json else text)
    handler.addFilter(Filled())
    logger = logging.getLogger("roomtone")
    logger.handlers = [handler]
    logger.setLevel(level)
    logger.propagate = False
