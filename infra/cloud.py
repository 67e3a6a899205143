"""The stacks that only a real account has: what the application stands on there, and what stands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.constructs.firewall import Firewall
from infra.constructs.layers import CloudLayers
from infra.foundation import Foundation
from infra.nag import check
from infra.stacks.data import DataStack
from infra.stacks.network import NetworkStack
from infra.stacks.observability import ObservabilityStack
from infra.stacks.streaming import StreamingStack, cluster_name
from infra.stacks.web import WebStack

if TYPE_CHECKING:
    import aws_cdk as cdk

    from infra.settings import CloudSettings, Settings, Stage
    from infra.stacks.application import ApplicationStack


def surround(
    app: cdk.App,
    stage: Stage,
    settings: Settings,
    cloud: CloudSettings,
    application: ApplicationStack,
    env: cdk.Environment,
) -> None:
    if cloud.firewall:
        Firewall(application, "Firewall", stage=application.api.deployment_stage)
    WebStack(
        app,
        f"nofy-{stage}-web",
        settings=settings,
        domain=cloud.domain,
        console=cloud.console,
        api=application.api,
        env=env,
    )
    ObservabilityStack(
        app,
        f"nofy-{stage}-observability",
        stage=stage,
        settings=settings,
        email=cloud.alarm_email,
        application=application,
        cluster_name=cluster_name(stage),
        env=env,
    )
    check(app)


def cloud_foundation(
    app: cdk.App, stage: Stage, settings: Settings, cloud: CloudSettings, env: cdk.Environment
) -> Foundation:
    network = NetworkStack(app, f"nofy-{stage}-network", settings=settings, network=cloud.network, env=env)
    data = DataStack(app, f"nofy-{stage}-data", stage=stage, settings=settings, cloud=cloud, network=network, env=env)
    streaming = StreamingStack(
        app, f"nofy-{stage}-streaming", stage=stage, settings=settings, kafka=cloud.kafka, network=network, env=env
    )
    return Foundation(
        network=network,
        data=data,
        streaming=streaming,
        packaging=CloudLayers(),
        providers=cloud.providers,
        console=cloud.console,
    )
