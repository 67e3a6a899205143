INSERT INTO projects (id, name) VALUES (%(id)s, %(name)s)
