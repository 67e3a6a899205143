"""Property tests that are quick and leave nothing behind."""

from hypothesis import settings

settings.register_profile("nofy", deadline=None, max_examples=40, database=None)
settings.load_profile("nofy")
