SELECT set_config('nofy.user_id', %(user_id)s::text, true);
INSERT INTO users (id, issuer, subject, email, email_verified, name)
VALUES (%(user_id)s, %(issuer)s, %(subject)s, %(email)s, %(email_verified)s, %(name)s)
ON CONFLICT (id) DO UPDATE
SET email = excluded.email, email_verified = excluded.email_verified, name = excluded.name, seen_at = now()
