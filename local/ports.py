"""The ports of a stack: uncommon fixed ones, each changeable by a variable, all on the loopback address."""

from __future__ import annotations

import errno
import socket
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK = "127.0.0.1"
HIGHEST = 65535


class PortError(Exception):
    """A port cannot be used; the message names it and the variable that changes it."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Which port each part listens on. The variable of ``kafka`` is ``PORT_KAFKA``; 0 means any free one."""

    postgres: int = 15432
    redis: int = 16379
    kafka: int = 19092
    kafka_controller: int = 19093
    aws: int = 14566
    inbox: int = 18025
    dashboard: int = 18080


def variable(name: str) -> str:
    return f"PORT_{name.upper()}"


def ports_from(environ: Mapping[str, str]) -> Ports:
    """Defaults, changed by the environment, with a free port chosen for each 0."""
    asked = {field.name: _asked(field.name, field.default, environ) for field in fields(Ports)}
    free = iter(free_ports(sum(port == 0 for port in asked.values())))
    return Ports(**{name: port or next(free) for name, port in asked.items()})


def _asked(name: str, default: object, environ: Mapping[str, str]) -> int:
    text = environ.get(variable(name)) or str(default)
    if not text.isdecimal() or int(text) > HIGHEST:
        raise PortError(f"{variable(name)}={text} is not a port: give a number from 0 (any free one) to {HIGHEST}")
    return int(text)


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different because they are held open together."""
    held = [socket.socket() for _ in range(count)]
    try:
        for listener in held:
            listener.bind((LOOPBACK, 0))
        return [listener.getsockname()[1] for listener in held]
    finally:
        for listener in held:
            listener.close()


def refuse_taken(ports: Ports, wanted: frozenset[str]) -> None:
    """One line per stack that cannot start: every taken port at once, each with its variable."""
    chosen = {name: port for name, port in asdict(ports).items() if name in wanted}
    twice = {name: port for name, port in chosen.items() if list(chosen.values()).count(port) > 1}
    if twice:
        raise PortError(f"one port for two parts: {_named(twice)}")
    taken = {name: port for name, port in chosen.items() if is_taken(port)}
    if taken:
        raise PortError(f"already in use by another program: {_named(taken)}; set the variable to another port")


def _named(ports: Mapping[str, int]) -> str:
    return ", ".join(f"port {port} ({variable(name)})" for name, port in ports.items())


def is_taken(port: int) -> bool:
    """A bind tells the truth where a connect does not: a listener on 0.0.0.0 or one that refuses is seen too."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return True
            raise
    return False


def is_listening(port: int, host: str = LOOPBACK) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, port)) == 0
