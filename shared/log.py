"""The log: the workflow's lines as text, or the same lines as JSON objects with their fields."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from shared.settings import LogFormat

ROOT = "platen"
"""Name of the logger that all of Platen's own loggers are children of."""


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and the record's ``fields``."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(log_format: LogFormat, level: int = logging.INFO) -> None:
    """Send Platen's log to standard error. Done once; a logger that has a handler is left alone."""
    logger = logging.getLogger(ROOT)
    logger.setLevel(level)
    if logger.handlers:
        return
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonFormatter() if log_format is LogFormat.JSON else text)
    logger.addHandler(handler)
