"""The CDK app. ``make synth`` and ``make up`` call it; by hand: ``cdk synth -c stage=dev``."""

import sys

import aws_cdk as cdk

from infra.parsing import SettingsError
from infra.stage import build

app = cdk.App()
try:
    build(app)
except SettingsError as error:
    sys.exit(str(error))
app.synth()
