"""Kafka by kafka-python: an idempotent producer that waits for all replicas, and a look at groups' offsets."""
