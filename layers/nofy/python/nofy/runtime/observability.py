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
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Handler = Callable[[dict[str, Any], Any], Any]

logger = Logger()

# A line takes a hundred values. Powertools writes it by itself when it is full, and then warns that nothing is left.
_VALUES = 99


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


def count(summary: Any, *, always: Iterable[str] = (), **dimensions: str) -> dict[str, int]:
    """A verb's summary as metrics: every whole number of the dataclass that is not zero. Returns all of them.

    ``always`` names those whose zero is told too, because an alarm on it must see that somebody looked.
    """
    counts = {
        each.name: value
        for each in dataclasses.fields(summary)
        if isinstance(value := getattr(summary, each.name), int)
    }
    _emit([(name, value) for name, value in counts.items() if value or name in always], dimensions)
    return counts


def count_by(field: str, summaries: Iterable[Any], *, always: Iterable[str] = (), **dimensions: str) -> None:
    """Each summary with one of its own fields as a further dimension."""
    for each in summaries:
        count(each, always=always, **dimensions, **{field: getattr(each, field)})


def measure(name: str, values: Sequence[float], **dimensions: str) -> None:
    """Each value of one metric, for CloudWatch to make percentiles of."""
    for start in range(0, len(values), _VALUES):
        _emit([(name, value) for value in values[start : start + _VALUES]], dimensions)


def _emit(figures: Sequence[tuple[str, float]], dimensions: Mapping[str, str]) -> None:
    """One line of CloudWatch's embedded metric format; a quiet run writes none."""
    if not figures:
        return
    metrics = Metrics(namespace="Nofy")
    for name, value in dimensions.items():
        metrics.add_dimension(name=name, value=value)
    for name, figure in figures:
        metrics.add_metric(name=name, unit=_unit(name), value=figure)
    metrics.flush_metrics()


def _unit(name: str) -> MetricUnit:
    if name.endswith("_ms"):
        return MetricUnit.Milliseconds
    return MetricUnit.Seconds if name.endswith("_seconds") else MetricUnit.Count
