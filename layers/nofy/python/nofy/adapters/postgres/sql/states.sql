SELECT * FROM nofy_states(%(ids)s::uuid[])
