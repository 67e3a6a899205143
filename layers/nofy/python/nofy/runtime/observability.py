"""Logs and metrics: one JSON line a thing worth knowing, with the request it belongs to."""

from __future__ import annotations

import dataclasses
import functools
import logging
import os
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[dict[str, Any], Any], Any]

logger = Logger()


def _share_handler() -> None:
    """The package's modules log by the standard library; their records take Powertools' way out."""
    package = logging.getLogger("nofy")
    package.handlers = list(logger.handlers)
    package.setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO"))
    package.propagate = False


_share_handler()


def observed(handler: Handler) -> Handler:
    """Every line of an invocation carries its request id; an exception is logged once, here, and goes on."""

    @functools.wraps(handler)
    def wrapped(event: dict[str, Any], context: Any) -> Any:
        logger.append_keys(
            request_id=context.aws_request_id,
            cold_start=not _warm,
        )
        _warm.append(True)
        try:
            return handler(event, context)
        except Exception:
            logger.exception("invocation failed")
            raise

    return wrapped


_warm: list[bool] = []


def count(summary: Any, **dimensions: str) -> dict[str, int]:
    """A verb's summary as metrics: every whole number of the dataclass that is not zero. Returns all of them."""
    counts = {
        each.name: value
        for each in dataclasses.fields(summary)
        if isinstance(value := getattr(summary, each.name), int)
    }
    if not any(counts.values()):
        return counts
    metrics = Metrics(namespace="Nofy")
    for name, value in dimensions.items():
        metrics.add_dimension(name=name, value=value)
    for name, value in counts.items():
        if value:
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    metrics.flush_metrics()
    return counts
