"""Signing in to MSK by IAM: kafka-python signs for each broker, and again before a session ends."""

from __future__ import annotations


def signing_in(*, iam: bool) -> dict[str, str]:
    """What a client is told beside its brokers. botocore, which the signing takes, is loaded when it connects."""
    return {"security_protocol": "SASL_SSL", "sasl_mechanism": "AWS_MSK_IAM"} if iam else {}
