-- Whoever holds the link acts in the project it is for, as far as the next statement goes.
SELECT set_config('nofy.invitation_hash', %(token_hash)s, true);
SELECT set_config('nofy.project_id', coalesce(
    (SELECT project_id::text FROM invitations WHERE token_hash = decode(%(token_hash)s, 'hex')), ''
), true);
