SELECT * FROM nofy_waiting(%(ids)s::uuid[])
