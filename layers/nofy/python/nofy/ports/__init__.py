"""What the pipeline needs from the outside, as Protocols: adapters and the tests' fakes both keep to them.

One contract suite (``tests/contract``) runs the same cases on the fakes and on the real stores.
"""
