"""The same job in Celery with a Redis broker, under the same provider and the same kind of kill loop, for contrast.

``python -m faults.contrast --seed 7 --kills 200 --n 10000``. What was chosen for Celery, and why, stands in
:mod:`faults.contrast.tasks`; what came of it in ``docs/guarantees.md``. Nothing here is part of Nofy.
"""
