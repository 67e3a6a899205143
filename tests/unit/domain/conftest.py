"""Property tests that are quick, repeatable on a busy machine, and keep no memory between runs."""

from hypothesis import settings

settings.register_profile("nofy", deadline=None, max_examples=40, database=None)
settings.load_profile("nofy")
