"""The pipeline beyond one machine, simulated: ``python -m bench.simulation --rate 1000 --scheduled 1e9``.

What a part takes for a batch and for an item of it stands in ``service_times.json``. How many there are of each part,
and what arrives, is a :class:`bench.simulation.scenario.Scenario`. What comes out is how much of each part is used, how
late whom is served, and which part is full first. ``docs/scaling.md`` says what follows from it.
"""
