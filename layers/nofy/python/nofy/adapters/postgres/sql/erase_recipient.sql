-- Everything of a notification is about its one recipient, whichever of its addresses it was found by. Looking through
-- the recipients reads every notification of the project: erasing is rare, and accepting would pay for an index.
WITH about AS (
    SELECT d.notification_id AS id
    FROM deliveries d
    WHERE d.project_id = %(project_id)s AND d.destination = ANY (%(addresses)s::text[])
    UNION
    SELECT n.id
    FROM notifications n
    WHERE n.project_id = %(project_id)s AND EXISTS (
        SELECT FROM jsonb_each_text(n.recipient) AS its WHERE its.value = ANY (%(addresses)s::text[])
    )
), done AS MATERIALIZED (
    SELECT e.* FROM (SELECT coalesce(array_agg(id), '{}') AS ids FROM about) AS a, nofy_erase(a.ids, false) AS e
), answered AS (
    UPDATE idempotency_keys k
    SET answer = nofy_erased_answer(k.answer)
    WHERE k.project_id = %(project_id)s
        AND EXISTS (SELECT FROM unnest(%(quoted)s::text[]) AS told (address) WHERE strpos(k.answer::text, address) > 0)
), noted AS (
    /* noted */ FROM done
)
SELECT cardinality(erased), blanked, cancelled, in_flight FROM done
