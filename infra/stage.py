"""From a stage's name to its stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from infra.constructs.layers import CloudLayers
from infra.foundation import Foundation
from infra.local_context import read_local_context
from infra.settings import Stage, read_settings, read_stage
from infra.stacks.application import ApplicationStack
from infra.stacks.data import DataStack
from infra.stacks.endpoints import local_foundation
from infra.stacks.network import NetworkStack
from infra.stacks.observability import ObservabilityStack
from infra.stacks.streaming import StreamingStack, cluster_name
from infra.stacks.web import WebStack

if TYPE_CHECKING:
    from infra.settings import CloudSettings, Settings


def build(app: cdk.App) -> None:
    """Adds the stacks of the stage named by the context to the app."""
    stage = read_stage(app.node)
    settings = read_settings(app.node, stage)
    env = cdk.Environment(account=settings.account, region=settings.region)
    if settings.cloud is None:
        foundation = local_foundation(stage, read_local_context(app.node))
    else:
        foundation = _cloud_foundation(app, stage, settings, settings.cloud, env)
    application = ApplicationStack(
        app,
        f"nofy-{stage}-application",
        stage=stage,
        settings=settings,
        foundation=foundation,
        env=env,
    )
    if settings.cloud is not None:
        _around(app, stage, settings, settings.cloud, application, env)


def _around(
    app: cdk.App,
    stage: Stage,
    settings: Settings,
    cloud: CloudSettings,
    application: ApplicationStack,
    env: cdk.Environment,
) -> None:
    WebStack(app, f"nofy-{stage}-web", settings=settings, domain=cloud.domain, api=application.api, env=env)
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


def _cloud_foundation(
    app: cdk.App, stage: Stage, settings: Settings, cloud: CloudSettings, env: cdk.Environment
) -> Foundation:
    network = NetworkStack(app, f"nofy-{stage}-network", settings=settings, network=cloud.network, env=env)
    data = DataStack(app, f"nofy-{stage}-data", stage=stage, settings=settings, cloud=cloud, network=network, env=env)
    streaming = StreamingStack(
        app, f"nofy-{stage}-streaming", stage=stage, settings=settings, kafka=cloud.kafka, network=network, env=env
    )
    return Foundation(
        network=network, data=data, streaming=streaming, packaging=CloudLayers(), providers=cloud.providers
    )
