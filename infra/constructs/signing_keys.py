"""The key that signs console tokens, where its public half is read, and the function that replaces it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import triggers
from constructs import Construct

from infra.nag import acknowledge, logical_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_lambda as lambda_

    from infra.settings import Settings

# The one object of the bucket: public keys alone, as RFC 7517 has them.
PUBLIC_KEYS = "jwks.json"


class SigningKeys(Construct):
    """Private keys in Secrets Manager for who signs and who makes them; public ones in S3.

    Functions inside the network reach S3 by its gateway endpoint, which costs nothing; they verify and cannot sign.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        maker: lambda_.Function,
        signer: lambda_.Function,
        readers: Sequence[lambda_.Function],
    ) -> None:
        super().__init__(scope, construct_id)
        self.secret = self._secret()
        self.bucket = self._bucket()
        for function in (maker, signer):
            self.secret.grant_read(function)
            function.add_environment("SIGNING_SECRET_ARN", self.secret.secret_arn)
        self.secret.grant_write(maker)
        for function in (maker, *readers):
            self._let(function, "s3:GetObject")
            function.add_environment("SIGNING_KEYS_BUCKET", self.bucket.bucket_name)
        self._let(maker, "s3:PutObject")
        self._look_daily(maker)
        if settings.cloud:
            triggers.Trigger(self, "First", handler=maker, execute_after=[self.secret, self.bucket])

    def _secret(self) -> secretsmanager.Secret:
        """Empty at first; losing it signs everybody out for a moment and no more."""
        secret = secretsmanager.Secret(
            self,
            "Secret",
            description="Signs the console tokens of Nofy",
            removal_policy=cdk.RemovalPolicy.DESTROY,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template='{"keys": []}',  # noqa: S106  # the shape of what will be one
                generate_string_key="unused",
            ),
        )
        acknowledge(secret, "SMG4", "The function that makes the keys replaces them, on its own schedule")
        return secret

    def _bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        acknowledge(bucket, "S1", "It holds public keys, made again by the next run of the function that makes them")
        return bucket

    def _let(self, function: lambda_.Function, action: str) -> None:
        """One action on one object; the bucket's own grants come with wildcards."""
        function.add_to_role_policy(
            iam.PolicyStatement(actions=[action], resources=[self.bucket.arn_for_objects(PUBLIC_KEYS)])
        )

    def _look_daily(self, maker: lambda_.Function) -> None:
        """Two retries by Lambda are enough: a key is replaced days before anybody could miss it."""
        acknowledge(
            cdk.Stack.of(self),
            f"IAM5[Resource::<{logical_id(maker)}.Arn>:*]",
            "The CDK lets the scheduler invoke any version of this one function",
        )
        scheduler.Schedule(
            self,
            "Daily",
            schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
            target=targets.LambdaInvoke(maker),
        )
