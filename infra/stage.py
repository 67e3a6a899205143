"""From a stage's name to its stacks."""

from __future__ import annotations

import aws_cdk as cdk

from infra.local_context import read_local_context
from infra.settings import read_settings, read_stage
from infra.stacks.application import ApplicationStack
from infra.stacks.endpoints import local_foundation


def build(app: cdk.App) -> None:
    """Adds the stacks of the stage named by the context to the app.

    The cloud's modules are imported for the cloud only: they cost a local deploy a second and a half.
    """
    stage = read_stage(app.node)
    settings = read_settings(app.node, stage)
    env = cdk.Environment(account=settings.account, region=settings.region)
    if settings.cloud is None:
        foundation = local_foundation(stage, read_local_context(app.node))
    else:
        from infra import cloud

        foundation = cloud.cloud_foundation(app, stage, settings, settings.cloud, env)
    application = ApplicationStack(
        app,
        f"nofy-{stage}-application",
        stage=stage,
        settings=settings,
        foundation=foundation,
        env=env,
    )
    if settings.cloud is not None:
        cloud.surround(app, stage, settings, settings.cloud, application, env)
