"""Nofy: notification infrastructure that runs in your own AWS account.

The rings, outermost first: ``runtime`` and ``adapters`` call ``pipeline`` and ``queries``, which see the
outside through ``ports`` and rest on ``domain``. Nothing points the other way (import-linter holds it).
"""
