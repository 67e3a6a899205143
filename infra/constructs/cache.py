"""Valkey on ElastiCache: serverless where it idles, a replication group where it works; IAM users for both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.nag import acknowledge
from infra.stacks.network import ISOLATED, REDIS_PORTS

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_

    from infra.settings import CacheSettings, Stage
    from infra.stacks.network import NetworkStack

# Our keys and no others; everything but what empties, reconfigures or inspects the server.
ACCESS = "on ~nofy:* resetchannels +@all -@admin -@dangerous"


class Cache(Construct):
    """What is in it can be made again from PostgreSQL: no snapshots, and nothing to retain."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, cache: CacheSettings, network: NetworkStack
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = f"nofy-{stage}"
        self._user_name = f"nofy-{stage}-functions"
        self._network = network
        group = ec2.SecurityGroup(self, "Group", vpc=network.vpc, description="Valkey", allow_all_outbound=False)
        group.add_ingress_rule(network.clients, REDIS_PORTS, "Functions")
        users = self._users()
        self._serverless = cache.node_type is None
        if cache.node_type is None:
            self._address, self._arn = self._make_serverless(cache, group, users)
        else:
            self._address, self._arn = self._make_replicated(cache, cache.node_type, group, users)

    def connect(self, function: lambda_.Function) -> None:
        """A serverless cache speaks cluster mode only, and its tokens are signed as a serverless cache's."""
        function.add_environment("REDIS_URL", f"rediss://{self._user_name}@{self._address}:6379/0")
        function.add_environment("REDIS_AUTH", "iam")
        function.add_environment("REDIS_CACHE_NAME", self._name)
        function.add_environment("REDIS_SERVERLESS", "true" if self._serverless else "false")
        user = cdk.Stack.of(self).format_arn(
            service="elasticache",
            resource="user",
            resource_name=self._user_name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        function.add_to_role_policy(iam.PolicyStatement(actions=["elasticache:Connect"], resources=[self._arn, user]))

    def _users(self) -> elasticache.CfnUserGroup:
        user = elasticache.CfnUser(
            self,
            "Functions",
            engine="valkey",
            user_id=self._user_name,
            user_name=self._user_name,
            authentication_mode={"Type": "iam"},
            access_string=ACCESS,
        )
        group = elasticache.CfnUserGroup(
            self, "Users", engine="valkey", user_group_id=f"{self._name}-users", user_ids=[user.user_id]
        )
        group.add_resource_dependency(user)
        return group

    def _make_serverless(
        self, cache: CacheSettings, group: ec2.SecurityGroup, users: elasticache.CfnUserGroup
    ) -> tuple[str, str]:
        made = elasticache.CfnServerlessCache(
            self,
            "Serverless",
            engine="valkey",
            serverless_cache_name=self._name,
            security_group_ids=[group.security_group_id],
            subnet_ids=self._subnet_ids(),
            user_group_id=users.user_group_id,
            cache_usage_limits=elasticache.CfnServerlessCache.CacheUsageLimitsProperty(
                data_storage=elasticache.CfnServerlessCache.DataStorageProperty(unit="GB", maximum=cache.max_storage_gb)
            ),
        )
        made.add_resource_dependency(users)
        return made.attr_endpoint_address, made.attr_arn

    def _make_replicated(
        self, cache: CacheSettings, node_type: str, group: ec2.SecurityGroup, users: elasticache.CfnUserGroup
    ) -> tuple[str, str]:
        subnets = elasticache.CfnSubnetGroup(
            self, "Subnets", description="Isolated subnets", subnet_ids=self._subnet_ids()
        )
        several = cache.nodes > 1
        acknowledge(self, "AEC5", "Another port hides nothing: nothing outside the network reaches either")
        acknowledge(self, "AEC6", "Users come by IAM, which takes the place of AUTH tokens")
        made = elasticache.CfnReplicationGroup(
            self,
            "Replicated",
            replication_group_description="Nofy's schedule: an index of the next fifteen minutes",
            replication_group_id=self._name,
            engine="valkey",
            engine_version="8.1",
            cache_node_type=node_type,
            num_cache_clusters=cache.nodes,
            automatic_failover_enabled=several,
            multi_az_enabled=several,
            at_rest_encryption_enabled=True,
            transit_encryption_enabled=True,
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[group.security_group_id],
            user_group_ids=[users.user_group_id],
        )
        made.add_resource_dependency(users)
        arn = cdk.Stack.of(self).format_arn(
            service="elasticache",
            resource="replicationgroup",
            resource_name=self._name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        return made.attr_primary_end_point_address, arn

    def _subnet_ids(self) -> list[str]:
        return self._network.vpc.select_subnets(subnet_group_name=ISOLATED.subnet_group_name).subnet_ids
