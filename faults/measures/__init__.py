"""Two promises about time, measured on real servers: how fast an emptied Redis is rebuilt, what an outage costs.

``python -m faults.measures rebuild outage``. The figures stand in ``docs/guarantees.md``.
"""
