"""The real CDK app, deployed into the emulator by the real ``cdk``, then migrated and set going."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from local import artefacts, postgres
from local.environment import ACCOUNT, REGION, aws_environment
from local.processes import MARK, log_tail
from local.sessions import emulated
from local.stack import APPLICATION_STACK, STAGE, Stack, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

CDK_SECONDS = 300.0

# Runs until a newer run replaces it, or only once a minute: started, and not waited for.
TICKED = ("dispatcher", "reconciler")


class DeploymentError(Exception):
    """The application could not be deployed or started; the message ends with what the tool said."""


CdkRun = subprocess.Popen[bytes]


class Cdk:
    """The deploy tool, with everything it writes in the stack's directory."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._assembly = stack.directory / "cdk.out"
        self._outputs = stack.directory / "outputs.json"

    def start_synth(self) -> CdkRun:
        """The servers start meanwhile: their addresses are known before they answer."""
        context_file = self._stack.directory / "context.json"
        write_private(context_file, self._stack.context)
        return self._start(
            "synth",
            *("--app", f"{artefacts.PYTHON} app.py", "--output", str(self._assembly), "--quiet"),
            *("-c", f"stage={STAGE}", "-c", f"localContext={context_file}"),
        )

    def start_bootstrap(self) -> CdkRun:
        return self._start("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", "")

    def deploy(self) -> dict[str, str]:
        """Returns the outputs of the application's stack."""
        self.finish(
            "deploy",
            self._start(
                "deploy",
                *("--app", str(self._assembly), APPLICATION_STACK, "--require-approval", "never"),
                *("--outputs-file", str(self._outputs), "--method", "direct"),
            ),
        )
        outputs: dict[str, str] = json.loads(self._outputs.read_text())[APPLICATION_STACK]
        return outputs

    def finish(self, verb: str, process: CdkRun) -> None:
        try:
            code = process.wait(CDK_SECONDS)
        except subprocess.TimeoutExpired:
            raise DeploymentError(f"cdk {verb} has not ended after {CDK_SECONDS:.0f} s") from None
        if code != 0:
            raise DeploymentError(f"cdk {verb} failed{log_tail(self._stack.home, f'cdk-{verb}', 20)}")

    def _start(self, verb: str, *arguments: str) -> CdkRun:
        self._stack.home.create()
        with (self._stack.home.logs / f"cdk-{verb}.log").open("wb") as log:
            return subprocess.Popen(
                [str(artefacts.CDK), verb, *arguments],
                cwd=artefacts.ROOT,
                env={**self._environment(), MARK: self._stack.home.mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        return {
            **aws_environment(self._stack.aws_endpoint_url),
            # The built-in template validation takes seconds and is the infra tests' business.
            "CDK_VALIDATION": "false",
            "CDK_DISABLE_CLI_TELEMETRY": "1",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
            "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
        }


def lambda_client() -> Any:
    """One try, longer than the longest migration: a repeated invoke would be a second run."""
    return emulated().client("lambda", config=Config(read_timeout=330, retries={"total_max_attempts": 1}))


def function_name(name: str) -> str:
    return f"nofy-{STAGE}-{name}"


def migrate(stack: Stack, client: Any) -> None:
    """Run the migrations, then give the roles they made the passwords the functions were deployed with."""
    answer = client.invoke(FunctionName=function_name("migrate"), Payload=b"{}")
    if answer.get("FunctionError"):
        raise DeploymentError(f"the migrations failed: {_function_error(answer)}")
    postgres.set_passwords(stack.postgres, stack.function_passwords)


def make_keys(client: Any) -> None:
    """What signs console tokens; on AWS the deploy and a daily tick see to it."""
    answer = client.invoke(FunctionName=function_name("keys"), Payload=b"{}")
    if answer.get("FunctionError"):
        raise DeploymentError(f"no key to sign console tokens with: {_function_error(answer)}")


def kick(client: Any) -> None:
    """The schedule's first tick comes a minute after a deploy, and a deploy ends a dispatcher that runs."""
    for name in TICKED:
        client.invoke(FunctionName=function_name(name), InvocationType="Event", Payload=b"{}")


def api_url(stack: Stack, outputs: Mapping[str, str]) -> str:
    """By path: the host name in the stack's own output ends in ``.localhost``, which Python does not resolve."""
    api, stage = outputs["RestApiId"], outputs["ApiStageName"]
    return f"{stack.aws_endpoint_url}/_aws/execute-api/{api}/{stage}"


def _function_error(answer: Mapping[str, Any]) -> str:
    error = json.loads(answer["Payload"].read())
    trace = error.get("stackTrace") or error.get("trace") or []
    lines = trace if isinstance(trace, list) else [trace]
    return "\n  ".join([str(error.get("errorMessage", error)), *map(str, lines[-12:])])
