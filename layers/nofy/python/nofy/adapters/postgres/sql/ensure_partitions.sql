SELECT nofy_ensure_partitions(now() + make_interval(days => %(days)s))
