"""Kafka on MSK: the cluster, every topic of the topology, and who may read and write which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_msk as msk
from aws_cdk import custom_resources

from infra import topology
from infra.constructs.kafka_consumer import MappedConsumers
from infra.nag import acknowledge
from infra.stacks.network import HTTPS_PORT, ISOLATED, KAFKA_IAM_PORT
from nofy.domain import timing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from infra.settings import KafkaSettings, Settings, Stage
    from infra.stacks.network import NetworkStack
    from infra.topology import EventSource
    from nofy.domain.routing import Lane


class StreamingStack(cdk.Stack):
    """Stateful: what is in the topics is on its way, and a new cluster starts with nothing."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        settings: Settings,
        kafka: KafkaSettings,
        network: NetworkStack,
        env: cdk.Environment,
    ) -> None:
        super().__init__(scope, construct_id, env=env, termination_protection=settings.retain_data)
        self._stage = stage
        self._settings = settings
        self._kafka = kafka
        self.cluster_name = cluster_name(stage)
        self.cluster = self._cluster(network)
        self.cluster_arn = self.cluster.attr_arn
        self._topics()
        self._topic_arns = self._arns_of("topic")
        self._group_arns = self._arns_of("group")
        self.bootstrap = self._bootstrap()

    def connect(self, function: lambda_.Function, produces: Sequence[str], watches: Sequence[Lane]) -> None:
        function.add_environment("KAFKA_BOOTSTRAP", self.bootstrap)
        function.add_environment("KAFKA_AUTH", "iam")
        self.grant_cluster(function, "Connect", "WriteDataIdempotently")
        self.grant_topics(function, produces, "DescribeTopic", "WriteData")
        if watches:
            function.add_environment("KAFKA_REPORTS_LAG", "true")
            # Offsets of topics that may not be described are left out of Kafka's answer, without an error.
            self.grant_groups(function, [each.group for each in watches], "DescribeGroup")
            self.grant_topics(function, [each.topic for each in watches], "DescribeTopic")

    def consume(
        self, scope: Construct, sources: Sequence[EventSource], functions: Mapping[str, lambda_.Function]
    ) -> None:
        MappedConsumers(
            scope,
            "KafkaConsumers",
            sources=sources,
            functions=functions,
            streaming=self,
            pollers=self._kafka.pollers,
            poller_group=self.cluster_name,
        )

    def grant_cluster(self, function: lambda_.Function, *actions: str) -> None:
        _grant(function, actions, [self.cluster_arn])

    def grant_topics(self, function: lambda_.Function, topics: Sequence[str], *actions: str) -> None:
        _grant(function, actions, [f"{self._topic_arns}/{topic}" for topic in topics])

    def grant_groups(self, function: lambda_.Function, groups: Sequence[str], *actions: str) -> None:
        _grant(function, actions, [f"{self._group_arns}/{group}" for group in groups])

    def _arns_of(self, kind: str) -> str:
        """``arn:...:topic/<cluster name>/<cluster uuid>``: only the cluster's own ARN knows the uuid.

        One export for all topics: an export per topic would keep any of them from being removed.
        """
        prefix = cdk.Fn.join(f":{kind}/", cdk.Fn.split(":cluster/", self.cluster_arn))
        return self.export_value(prefix, name=f"{self.cluster_name}-{kind}-arns")

    def _cluster(self, network: NetworkStack) -> msk.CfnCluster:
        configuration = self._configuration()
        log_group = logs.LogGroup(
            self,
            "BrokerLogs",
            retention=logs.RetentionDays[self._settings.log_retention],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        cluster = msk.CfnCluster(
            self,
            "Cluster",
            cluster_name=self.cluster_name,
            kafka_version=self._kafka.version,
            number_of_broker_nodes=self._kafka.brokers,
            broker_node_group_info=msk.CfnCluster.BrokerNodeGroupInfoProperty(
                instance_type=self._kafka.instance_type,
                client_subnets=network.vpc.select_subnets(subnet_group_name=ISOLATED.subnet_group_name).subnet_ids,
                security_groups=[self._group(network).security_group_id],
                storage_info=msk.CfnCluster.StorageInfoProperty(
                    ebs_storage_info=msk.CfnCluster.EBSStorageInfoProperty(volume_size=self._kafka.storage_gb)
                ),
            ),
            client_authentication=msk.CfnCluster.ClientAuthenticationProperty(
                sasl=msk.CfnCluster.SaslProperty(iam=msk.CfnCluster.IamProperty(enabled=True)),
                unauthenticated=msk.CfnCluster.UnauthenticatedProperty(enabled=False),
            ),
            encryption_info=msk.CfnCluster.EncryptionInfoProperty(
                encryption_in_transit=msk.CfnCluster.EncryptionInTransitProperty(client_broker="TLS", in_cluster=True)
            ),
            configuration_info=msk.CfnCluster.ConfigurationInfoProperty(
                arn=configuration.attr_arn, revision=configuration.attr_latest_revision_revision
            ),
            logging_info=msk.CfnCluster.LoggingInfoProperty(
                broker_logs=msk.CfnCluster.BrokerLogsProperty(
                    cloud_watch_logs=msk.CfnCluster.CloudWatchLogsProperty(
                        enabled=True, log_group=log_group.log_group_name
                    )
                )
            ),
        )
        cluster.apply_removal_policy(
            cdk.RemovalPolicy.RETAIN if self._settings.retain_data else cdk.RemovalPolicy.DESTROY
        )
        return cluster

    def _configuration(self) -> msk.CfnConfiguration:
        """Topics exist because the topology says so: none is made by somebody's typing error."""
        largest = max(topic.max_message_bytes or 0 for topic in topology.topics(self._settings))
        properties = {
            "auto.create.topics.enable": "false",
            "default.replication.factor": self._kafka.replication,
            "log.retention.hours": timing.TOPIC_RETENTION // 3600,
            "message.max.bytes": largest,
            "min.insync.replicas": self._kafka.min_insync,
            "unclean.leader.election.enable": "false",
        }
        return msk.CfnConfiguration(
            self,
            "Configuration",
            name=self.cluster_name,
            server_properties="".join(f"{name}={value}\n" for name, value in properties.items()),
        )

    def _group(self, network: NetworkStack) -> ec2.SecurityGroup:
        """Lambda's pollers use the cluster's own group: they reach the brokers and the endpoints from it."""
        group = ec2.SecurityGroup(
            self, "Group", vpc=network.vpc, description="Kafka and its pollers", allow_all_outbound=False
        )
        brokers = ec2.Port.tcp(KAFKA_IAM_PORT)
        group.add_ingress_rule(network.clients, brokers, "Functions")
        group.add_ingress_rule(group, brokers, "Pollers")
        group.add_egress_rule(group, brokers, "Pollers to brokers")
        group.add_egress_rule(ec2.Peer.ipv4(network.cidr), ec2.Port.tcp(HTTPS_PORT), "Pollers to endpoints")
        return group

    def _topics(self) -> None:
        """One after another: the cluster's controller is asked for one topic at a time."""
        previous: msk.CfnTopic | None = None
        for topic in topology.topics(self._settings):
            made = msk.CfnTopic(
                self,
                f"Topic-{topic.name}",
                cluster_arn=self.cluster_arn,
                topic_name=topic.name,
                partition_count=topic.partitions,
                replication_factor=self._kafka.replication,
            )
            if previous is not None:
                made.add_resource_dependency(previous)
            previous = made

    def _bootstrap(self) -> str:
        """CloudFormation knows the cluster's brokers only by asking MSK."""
        call = custom_resources.AwsSdkCall(
            service="Kafka",
            action="getBootstrapBrokers",
            parameters={"ClusterArn": self.cluster_arn},
            physical_resource_id=custom_resources.PhysicalResourceId.of(f"{self.cluster_name}-brokers"),
        )
        acknowledge(
            self,
            "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]",
            "The CDK's own function that asks MSK for its brokers during a deploy",
        )
        asked = custom_resources.AwsCustomResource(
            self,
            "Brokers",
            on_create=call,
            on_update=call,
            install_latest_aws_sdk=False,
            policy=custom_resources.AwsCustomResourcePolicy.from_statements(
                [iam.PolicyStatement(actions=["kafka:GetBootstrapBrokers"], resources=[self.cluster_arn])]
            ),
        )
        return asked.get_response_field("BootstrapBrokerStringSaslIam")


def cluster_name(stage: Stage) -> str:
    return f"nofy-{stage}"


def _grant(function: lambda_.Function, actions: Sequence[str], resources: Sequence[str]) -> None:
    function.add_to_role_policy(
        iam.PolicyStatement(actions=[f"kafka-cluster:{action}" for action in actions], resources=list(resources))
    )
