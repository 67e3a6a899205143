"""Lambda's init phase: what a first request surely needs is loaded before there is one.

Importing costs processor time and nothing else. While a function initialises it has a whole processor, afterwards
``memory / 1769`` of one (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html): with our 512 MB
what takes 100 ms before the first request takes 345 ms within it. Elsewhere nobody gains by loading early, and a
handler loads what is used (docs/adr/0009).
"""

from __future__ import annotations

import os
from importlib import import_module

# Lambda sets it, to how the function was started: on demand, for provisioned concurrency, for a snapshot.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
IN_LAMBDA = "AWS_LAMBDA_INITIALIZATION_TYPE"


def load_ahead(*modules: str) -> None:
    """Import these, by name, where a function initialises. One that is missing fails the cold start."""
    if IN_LAMBDA in os.environ:
        for each in modules:
            import_module(each)
