-- Where a page that did not get full stopped looking; no row where it looked at all there is.
SELECT c.id FROM (/* candidates */) AS c OFFSET %(budget)s - 1
