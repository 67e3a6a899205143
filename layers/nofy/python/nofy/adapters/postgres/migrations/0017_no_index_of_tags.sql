-- Nothing reads it: a tag is looked for among the candidates of a page (migration 0012), and row-level security would not
-- let "@>", which is not leakproof, be answered from an index. Every accepted notification was entered into it.
DROP INDEX notifications_of_tag;
