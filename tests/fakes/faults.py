"""What may happen at a port: an error, before the call or after it, or the death of whoever calls."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Died(BaseException):
    """A kill -9, as far as a test can have one: no ``except Exception`` survives it, and nothing is tidied up."""


@dataclass
class Fault:
    """Raised at the next call of ``method``: before it is done, or after (it was done and nobody heard of it)."""

    method: str
    error: BaseException
    after: bool = False


@dataclass
class Faults:
    """Faults to come, shared by all faulty ports of one test; ``strike`` may also decide call by call."""

    waiting: list[Fault] = field(default_factory=list)
    strike: Callable[[str], Fault | None] = lambda _: None

    def add(self, method: str, error: BaseException, *, after: bool = False) -> None:
        self.waiting.append(Fault(method, error, after))

    def take(self, method: str) -> Fault | None:
        for each in self.waiting:
            if each.method == method:
                self.waiting.remove(each)
                return each
        return self.strike(method)

    @contextmanager
    def down(self, error: BaseException, *methods: str) -> Iterator[None]:
        """Every call of these methods fails as long as the block lasts."""
        usual, self.strike = self.strike, lambda method: Fault(method, error) if method in methods else None
        try:
            yield
        finally:
            self.strike = usual


class Faulty:
    """A port with faults before and after it; everything else is the port's own."""

    def __init__(self, port: Any, faults: Faults) -> None:
        self._port = port
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._port, name)
        return self._wrapped(name, attribute) if callable(attribute) else attribute

    def _wrapped(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            fault = self._faults.take(name)
            if fault and not fault.after:
                raise fault.error
            result = method(*args, **kwargs)
            if fault:
                raise fault.error
            return result

        return call
