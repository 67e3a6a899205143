"""``make demo``: a dozen notifications travel the whole chain, and the terminal shows how.

``scenes`` is what is sent and how it should end; ``show`` is what a person sees of it.
"""
