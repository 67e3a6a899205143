"""Nofy on one machine: embedded servers, an AWS emulator, the Kafka-to-Lambda bridge and provider simulators.

``make up`` runs :mod:`local.bringup`; :class:`local.stack.Stack` is the one description of what runs where.
"""
