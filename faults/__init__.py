"""Nothing is lost, nothing is sent twice that could be avoided: the real pipeline on real servers, killed with -9.

``make faults SEED=7 KILLS=200 N=10000``. What is run and what must hold stands in ``docs/faults.md``.
"""
