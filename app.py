"""The CDK app. ``make synth`` and ``make up`` call it; by hand: ``cdk synth -c stage=dev``."""

import aws_cdk as cdk

from infra.stage import build

app = cdk.App()
build(app)
app.synth()
