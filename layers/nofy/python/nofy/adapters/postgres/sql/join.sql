INSERT INTO memberships (project_id, user_id, role) VALUES (%(project_id)s, %(user_id)s, %(role)s)
ON CONFLICT (project_id, user_id) DO UPDATE SET role = excluded.role
