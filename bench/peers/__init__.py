"""The same job in Celery, dramatiq and procrastinate: what Nofy's throughput and lateness are held beside.

In the main environment this is the harness (:mod:`bench.peers.peer`). In the peers' own, where their modules run, the
harness and what it needs are not loaded.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.peers.peer import CELERY, DRAMATIQ, PEERS, PROCRASTINATE, Peer, PeerAddresses, Run

__all__ = ["CELERY", "DRAMATIQ", "PEERS", "PROCRASTINATE", "Peer", "PeerAddresses", "Run"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    return getattr(importlib.import_module("bench.peers.peer"), name)
