"""The Kafka-to-Lambda bridge: what Lambda's event source mappings do on AWS, and no free emulator does.

``record`` -> ``event`` (MSK-shaped, at most 6 MB) -> ``invocation`` -> ``outcome`` -> ``settling`` (commit, retry,
bisect, or the on-failure topic). ``partition`` runs that for one partition, ``__main__`` for all of them.
"""
