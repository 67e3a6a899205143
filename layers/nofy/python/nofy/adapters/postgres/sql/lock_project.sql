-- Changes of a project's integrations come one after the other: a channel has one default integration.
SELECT FROM projects WHERE id = %(project_id)s FOR NO KEY UPDATE;
