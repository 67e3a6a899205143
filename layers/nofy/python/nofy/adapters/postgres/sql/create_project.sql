INSERT INTO projects (id, name) VALUES (%(project_id)s, %(name)s)
