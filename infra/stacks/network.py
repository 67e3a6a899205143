"""Where functions that reach data run: isolated subnets, no way to the internet, endpoints for the AWS APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from infra.functions import FunctionSpec
    from infra.settings import NetworkSettings, Settings

POSTGRES_PORT = 5432
REDIS_PORTS = ec2.Port.tcp_range(6379, 6380)  # a serverless Valkey serves its readers on 6380
KAFKA_IAM_PORT = 9098  # https://docs.aws.amazon.com/msk/latest/developerguide/port-info.html
HTTPS_PORT = 443

# What Lambda needs to put a function into a network; none of it can be limited to a resource beforehand.
NETWORK_INTERFACE_ACTIONS = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]

ISOLATED = ec2.SubnetSelection(subnet_group_name="data")
EGRESS = ec2.SubnetSelection(subnet_group_name="senders")


class NetworkStack(cdk.Stack):
    """Three endpoints instead of a NAT gateway: Lambda (invokes), STS (Kafka's pollers), Secrets Manager (migrate)."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        network: NetworkSettings,
        env: cdk.Environment,
    ) -> None:
        # Before super: the VPC asks for the zones, and a region without an account would be looked up.
        self._zones = [cdk.Fn.select(index, cdk.Fn.get_azs()) for index in range(network.zones)]
        super().__init__(scope, construct_id, env=env)
        self._network = network
        self.cidr = network.cidr
        self.vpc = self._vpc()
        self._log_refusals(settings)
        self.clients = self._clients()
        self._let_read_own_buckets()
        self._endpoints()
        self._outside = self._egress_group() if network.fixed_egress else None

    @property
    @jsii.member(jsii_name="availabilityZones")
    def availability_zones(self) -> list[str]:
        return self._zones

    def place(self, spec: FunctionSpec, role: iam.Role) -> Mapping[str, Any]:
        """Inside, whoever reaches data; outside any network the rest, or behind one address where that is asked."""
        if spec.reaches_data:
            _let_attach(role)
            return {"vpc": self.vpc, "vpc_subnets": ISOLATED, "security_groups": [self.clients]}
        if self._outside is not None:
            _let_attach(role)
            return {"vpc": self.vpc, "vpc_subnets": EGRESS, "security_groups": [self._outside]}
        return {}

    def _vpc(self) -> ec2.Vpc:
        subnets = [ec2.SubnetConfiguration(name="data", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=20)]
        nat: dict[str, Any] = {"nat_gateways": 0}
        if self._network.fixed_egress:
            subnets += [
                ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=28),
                ec2.SubnetConfiguration(name="senders", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=24),
            ]
            nat = {"nat_gateways": 1, "nat_gateway_provider": self._nat_with_known_address()}
        return ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(self._network.cidr),
            max_azs=self._network.zones,
            subnet_configuration=subnets,
            restrict_default_security_group=False,
            **nat,
        )

    def _nat_with_known_address(self) -> ec2.NatProvider:
        address = ec2.CfnEIP(self, "SendersAddress", domain="vpc")
        cdk.CfnOutput(self, "SendersPublicIp", value=address.attr_public_ip)
        return ec2.NatProvider.gateway(eip_allocation_ids=[address.attr_allocation_id])

    def _log_refusals(self, settings: Settings) -> None:
        group = logs.LogGroup(
            self,
            "RefusedTraffic",
            retention=logs.RetentionDays[settings.log_retention],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.vpc.add_flow_log(
            "RefusedTrafficLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )

    def _clients(self) -> ec2.SecurityGroup:
        """The functions' group. It names addresses, not groups: those live in stacks that need this one."""
        group = ec2.SecurityGroup(
            self, "Clients", vpc=self.vpc, description="Functions that reach data", allow_all_outbound=False
        )
        inside = ec2.Peer.ipv4(self._network.cidr)
        group.add_egress_rule(inside, ec2.Port.tcp(POSTGRES_PORT), "PostgreSQL")
        group.add_egress_rule(inside, REDIS_PORTS, "Valkey")
        group.add_egress_rule(inside, ec2.Port.tcp(KAFKA_IAM_PORT), "Kafka")
        group.add_egress_rule(inside, ec2.Port.tcp(HTTPS_PORT), "AWS endpoints")
        # A gateway endpoint has no address of its own: S3's public ones are meant, and no other route leads out.
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS_PORT), "S3, by its gateway endpoint")
        return group

    def _let_read_own_buckets(self) -> None:
        """To S3 for the console tokens' public keys: reading, in this account, and nothing carried out of it."""
        endpoint = self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        endpoint.add_to_policy(
            iam.PolicyStatement(
                principals=[iam.AnyPrincipal()],
                actions=["s3:GetObject"],
                resources=["*"],
                conditions={"StringEquals": {"aws:ResourceAccount": self.account}},
            )
        )

    def _endpoints(self) -> None:
        group = ec2.SecurityGroup(
            self, "Endpoints", vpc=self.vpc, description="AWS endpoints", allow_all_outbound=False
        )
        group.add_ingress_rule(ec2.Peer.ipv4(self._network.cidr), ec2.Port.tcp(HTTPS_PORT), "From inside the network")
        services = {
            "Lambda": ec2.InterfaceVpcEndpointAwsService.LAMBDA_,
            "Sts": ec2.InterfaceVpcEndpointAwsService.STS,
            "SecretsManager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
        }
        zones = self.vpc.isolated_subnets[: self._network.endpoint_zones]
        for name, service in services.items():
            self.vpc.add_interface_endpoint(
                name,
                service=service,
                open=False,
                security_groups=[group],
                subnets=ec2.SubnetSelection(subnets=zones),
            )

    def _egress_group(self) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, "Senders", vpc=self.vpc, description="Senders behind one address", allow_all_outbound=False
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS_PORT), "Providers")
        return group


def _let_attach(role: iam.Role) -> None:
    role.add_to_policy(iam.PolicyStatement(actions=NETWORK_INTERFACE_ACTIONS, resources=["*"]))
