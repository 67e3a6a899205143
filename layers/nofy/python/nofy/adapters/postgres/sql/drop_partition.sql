SELECT nofy_drop_partition(now() - make_interval(secs => %(seconds)s))
