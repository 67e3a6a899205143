"""Every time-out that must be shorter than another one, in one module, in seconds.

The chain ``provider < sender < invoke read < consumer < lease`` is what makes "nothing is sent twice that could
be avoided" true: each caller outlives what it calls, so it always hears the answer, and the lease outlives
them all, so nobody takes over work that is still going on. ``tests/unit/domain/test_timing.py`` asserts it.
"""

from __future__ import annotations

# One call to a provider. Slack's SDK waits 30 s; a notification that took 10 s to accept is better asked again.
PROVIDER_CONNECT_TIMEOUT = 3
PROVIDER_TIMEOUT = 10

# Opening a credential: one try, this long for the connection and this long for the answer.
VAULT_TIMEOUT = 3

# The vault function asks a provider once and KMS once; the console hears its answer and still gives its own before
# API Gateway gives up on both, after 29 s.
VAULT_FUNCTION_TIMEOUT = 22
VAULT_READ_TIMEOUT = 24

# The sender function. Its last call starts at the latest PROVIDER_TIMEOUT and a margin before its end.
SENDER_TIMEOUT = 60
SENDER_MARGIN = 5

# How long the consumer waits for the sender's answer: longer than the sender can live.
INVOKE_READ_TIMEOUT = 70

# The consumer function, and the latest moment (before its end) at which it may still begin an invoke.
CONSUMER_TIMEOUT = 180
CONSUMER_MARGIN = 15

# The attempt's lease, by PostgreSQL's clock: longer than a consumer and a sender it left behind can live.
ATTEMPT_LEASE = 300

# The dispatcher stops by itself after this long, and sooner when a newer run has registered.
DISPATCHER_RUN = 240
DISPATCHER_TIMEOUT = 300

# A claimed id that was not released comes back to its lane after this long: longer than one turn takes.
CLAIM_LEASE = 30

# The longest sleep of the dispatcher: how late work may be that nobody woke it for.
DISPATCHER_SLEEP = 1.0

# Redis holds what is due inside this window. The producer's is two minutes wider than the reconciler's, so that
# no item falls between a sweep and the next.
INDEX_WINDOW = 15 * 60
ACCEPT_WINDOW = INDEX_WINDOW + 120

# Work that is due this long and still waits has lost its place in Redis: it is indexed again.
OVERDUE = 60

# The topics keep their records for a week, and rows are kept for longer than any record can speak of them: then
# the weeks go in which nothing is live.
TOPIC_RETENTION = 7 * 24 * 3600
ROW_RETENTION = 90 * 24 * 3600

# ``queued`` this long, and passed over by its consumer group: the record was lost, it is dispatched again.
QUEUED_TOO_LONG = 120
# So often is one delivery dispatched again for a lost record; then a person should look at what loses them.
MOST_REQUEUES = 5

# The reconciler sweeps this often. Queued or being sent, and not moved for longer than all that heals it takes (its
# lease, the wait for its record, the next sweep): nothing works on it, and it counts as lost.
SWEEP = 60
IN_HAND_TOO_LONG = ATTEMPT_LEASE + QUEUED_TOO_LONG + SWEEP
