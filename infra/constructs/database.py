"""PostgreSQL on RDS: IAM instead of passwords for everybody but the migrator, TLS verified against a bundle of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds
from constructs import Construct

from infra.functions import PostgresRole
from infra.nag import acknowledge
from infra.postgres_logs import POSTGRES_LOGS
from infra.stacks.network import ISOLATED, POSTGRES_PORT

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_

    from infra.settings import PostgresSettings, Settings
    from infra.stacks.network import NetworkStack

DATABASE = "nofy"
# Owns the schema, and is the one who cannot come by IAM: rds_iam would shut its password out, and nothing grants it
# before the first migration.
OWNER = "nofy_admin"
# Where the certificates' layer puts it; psycopg2's wheel looks for roots where it was built.
CERTIFICATES = "/opt/certificates/rds.pem"


class Database(Construct):
    """One instance and, where the profile says so, a proxy that shares its connections among the functions."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        postgres: PostgresSettings,
        network: NetworkStack,
    ) -> None:
        super().__init__(scope, construct_id)
        group = ec2.SecurityGroup(self, "Group", vpc=network.vpc, description="PostgreSQL", allow_all_outbound=False)
        group.add_ingress_rule(network.clients, ec2.Port.tcp(POSTGRES_PORT), "Functions")
        self.instance = self._instance(settings, postgres, network, group)
        self.proxy = self._proxy(network) if postgres.proxy else None
        acknowledge(self, "RDS11", "Another port hides nothing: nothing outside the network reaches either")
        if not postgres.multi_az:
            acknowledge(self, "RDS3", "A stage for trying out does without a standby")
        if not settings.retain_data:
            acknowledge(self, "RDS10", "A stage for trying out is deleted when it is no longer needed")

    def connect(self, function: lambda_.Function, role: PostgresRole) -> None:
        """The owner goes to the instance itself: a migration's locks and settings do not suit a shared session."""
        if role is PostgresRole.ADMIN:
            self._connect_owner(function)
            return
        user = user_of(role)
        entrance = self.proxy or self.instance
        function.add_environment("POSTGRES_DSN", self._dsn(user, self._host()))
        function.add_environment("POSTGRES_AUTH", "iam")
        entrance.grant_connect(function, user)

    def _connect_owner(self, function: lambda_.Function) -> None:
        secret = self.instance.secret
        if secret is None:
            raise ValueError("RDS manages the owner's password: there must be a secret")
        function.add_environment("POSTGRES_DSN", self._dsn(OWNER, self.instance.db_instance_endpoint_address))
        function.add_environment("POSTGRES_AUTH", "secret")
        function.add_environment("POSTGRES_SECRET_ARN", secret.secret_arn)
        secret.grant_read(function)

    def _host(self) -> str:
        return self.proxy.endpoint if self.proxy else self.instance.db_instance_endpoint_address

    def _dsn(self, user: str, host: str) -> str:
        return f"postgresql://{user}@{host}:{POSTGRES_PORT}/{DATABASE}?sslmode=verify-full&sslrootcert={CERTIFICATES}"

    def _instance(
        self,
        settings: Settings,
        postgres: PostgresSettings,
        network: NetworkStack,
        group: ec2.SecurityGroup,
    ) -> rds.DatabaseInstance:
        engine = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_18)
        return rds.DatabaseInstance(
            self,
            "Instance",
            engine=engine,
            parameter_group=rds.ParameterGroup(self, "Parameters", engine=engine, parameters=POSTGRES_LOGS),
            instance_type=ec2.InstanceType(postgres.instance_type),
            vpc=network.vpc,
            vpc_subnets=ISOLATED,
            security_groups=[group],
            database_name=DATABASE,
            credentials=rds.Credentials.from_username(OWNER),
            manage_master_user_password=True,
            iam_authentication=True,
            allocated_storage=postgres.storage_gb,
            max_allocated_storage=postgres.max_storage_gb,
            storage_type=rds.StorageType.GP3,
            storage_encrypted=True,
            multi_az=postgres.multi_az,
            backup_retention=cdk.Duration.days(postgres.backup_days),
            delete_automated_backups=not settings.retain_data,
            deletion_protection=settings.retain_data,
            removal_policy=cdk.RemovalPolicy.SNAPSHOT if settings.retain_data else cdk.RemovalPolicy.DESTROY,
            copy_tags_to_snapshot=True,
            auto_minor_version_upgrade=True,
            cloudwatch_logs_exports=["postgresql"],
        )

    def _proxy(self, network: NetworkStack) -> rds.DatabaseProxy:
        """Signs in to the instance by IAM too: there is no password for it to keep."""
        entrance = ec2.SecurityGroup(
            self, "ProxyGroup", vpc=network.vpc, description="PostgreSQL proxy", allow_all_outbound=False
        )
        entrance.add_ingress_rule(network.clients, ec2.Port.tcp(POSTGRES_PORT), "Functions")
        role = iam.Role(self, "ProxyRole", assumed_by=iam.ServicePrincipal("rds.amazonaws.com"))
        for each in PostgresRole:
            if each is not PostgresRole.ADMIN:
                self.instance.grant_connect(role, user_of(each))
        return rds.DatabaseProxy(
            self,
            "Proxy",
            proxy_target=rds.ProxyTarget.from_instance(self.instance),
            default_auth_scheme=rds.DefaultAuthScheme.IAM_AUTH,
            role=role,
            require_tls=True,
            vpc=network.vpc,
            vpc_subnets=ISOLATED,
            security_groups=[entrance],
        )


def user_of(role: PostgresRole) -> str:
    """The migrations make these; the owner is there before them."""
    return OWNER if role is PostgresRole.ADMIN else f"nofy_{role}"
