"""A dashboard that reads like the pipeline, left to right, and an alarm for each way it can fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions

from infra import functions, topology
from infra.constructs import signals
from nofy.domain import routing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from infra.settings import Settings, Stage
    from infra.stacks.application import ApplicationStack
    from infra.topology import EventSource

BREACHING = cloudwatch.TreatMissingData.BREACHING
NOT_BREACHING = cloudwatch.TreatMissingData.NOT_BREACHING

# More than this many records waiting on a topic for five minutes: about ten minutes' work of one partition.
LAG = 10_000
# A delivery that is due now should be on its way in well under this.
LATENESS_MS = 60_000
OLDEST_QUEUED_SECONDS = 300
# A tenth of the attempts of a channel failing, of at least a hundred: a provider in trouble, not one bad address.
ERROR_PERCENT = 10
ERROR_MINIMUM = 100

WIDTH = 6  # of 24 columns: four steps side by side


class ObservabilityStack(cdk.Stack):
    """Every alarm is named after its page in ``docs/runbooks``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        settings: Settings,
        email: str | None,
        application: ApplicationStack,
        cluster_name: str,
        env: cdk.Environment,
    ) -> None:
        super().__init__(scope, construct_id, env=env)
        self._stage = stage
        self._application = application
        self._cluster_name = cluster_name
        self._sources = topology.event_sources(settings)
        self.alerts = self._alerts(email)
        self._alarm_on_deliveries()
        self._alarm_on_topics()
        self._alarm_on_clocks()
        self._alarm_on_channels()
        self._alarm_on_functions(application.functions)
        self._dashboard()

    def _alerts(self, email: str | None) -> sns.Topic:
        topic = sns.Topic(self, "Alerts", display_name=f"Nofy {self._stage}", enforce_ssl=True)
        if email:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        cdk.CfnOutput(self, "AlertsTopicArn", value=topic.topic_arn)
        return topic

    def _alarm(
        self,
        runbook: str,
        what: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        *,
        minutes: int = 1,
        below: bool = False,
        name: str | None = None,
    ) -> None:
        comparison = (
            cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
            if below
            else cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
        )
        alarm = cloudwatch.Alarm(
            self,
            name or runbook,
            alarm_name=f"nofy-{self._stage}-{name or runbook}",
            alarm_description=f"{what}. What to do: docs/runbooks/{runbook}.md",
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison,
            evaluation_periods=minutes,
            # A clock that stopped sends nothing at all; everything else that sends nothing is well.
            treat_missing_data=BREACHING if below else NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.alerts))
        alarm.add_ok_action(actions.SnsAction(self.alerts))

    def _alarm_on_deliveries(self) -> None:
        self._alarm("lost", "Something accepted makes no progress", signals.lost(), 0)
        self._alarm("lateness", "Deliveries start late", signals.lateness(), LATENESS_MS, minutes=5)
        self._alarm(
            "oldest-queued", "A delivery waits in Kafka", signals.oldest_queued(), OLDEST_QUEUED_SECONDS, minutes=5
        )
        self._alarm("dead-letters", "Deliveries end as dead letters", signals.dead_letters(), 0)
        self._alarm("integration-held", "A credential was refused", signals.held_integrations(), 0)
        for spec in (functions.PRODUCER, functions.CONSOLE):
            self._alarm(
                "quotas-open",
                f"Redis does not answer the {spec.name}: no project's limits are held",
                signals.quota_unavailable(spec),
                0,
                minutes=3,
                name=f"quotas-open-{spec.name}",
            )
        self._alarm("audit-unwritten", "Something was done and is not in the audit log", signals.audit_unwritten(), 0)

    def _alarm_on_topics(self) -> None:
        for source in self._sources:
            self._alarm(
                "consumer-lag",
                f"{source.group} falls behind on {source.topic}",
                signals.lag(source, self._cluster_name),
                _tolerated_lag(source),
                minutes=5,
                name=f"consumer-lag-{source.group.removeprefix('nofy-')}",
            )

    def _alarm_on_clocks(self) -> None:
        for spec in (functions.DISPATCHER, functions.RECONCILER):
            function = self._application.functions[spec.name]
            self._alarm(
                f"{spec.name}-not-running",
                f"The {spec.name} has not been started",
                function.metric_invocations(period=signals.MINUTE),
                1,
                minutes=3,
                below=True,
            )
        missed = self._application.ticks.missed.metric_approximate_number_of_messages_visible(period=signals.MINUTE)
        self._alarm("missed-ticks", "A tick never became a run", missed, 0)

    def _alarm_on_channels(self) -> None:
        for channel in routing.Channel:
            failed, all_ = signals.attempts(channel, "failed"), signals.attempts(channel, "all")
            percent = cloudwatch.MathExpression(
                expression=f"IF(tried >= {ERROR_MINIMUM}, 100 * failed / tried, 0)",
                using_metrics={"failed": failed, "tried": all_},
                label=f"{channel}: failed attempts, percent",
                period=signals.ERROR_RATE_PERIOD,
            )
            self._alarm(
                "error-rate",
                f"Attempts on {channel} fail",
                percent,
                ERROR_PERCENT,
                name=f"error-rate-{channel}",
            )

    def _alarm_on_functions(self, deployed: Mapping[str, lambda_.Function]) -> None:
        for name, function in deployed.items():
            self._alarm(
                "function-errors",
                f"{name} crashes or runs out of time",
                function.metric_errors(period=signals.MINUTE),
                0,
                minutes=3,
                name=f"function-errors-{name}",
            )

    def _dashboard(self) -> None:
        dashboard = cloudwatch.Dashboard(self, "Pipeline", dashboard_name=f"nofy-{self._stage}")
        dashboard.add_widgets(*self._what_matters())
        dashboard.add_widgets(*self._left_to_right())
        dashboard.add_widgets(*self._health())
        dashboard.add_widgets(*self._who_waits())

    def _what_matters(self) -> list[cloudwatch.IWidget]:
        figures = {
            "Lost": signals.lost(),
            "Dead letters": signals.dead_letters(),
            "Lateness p99, ms": signals.lateness(),
            "Held integrations": signals.held_integrations(),
        }
        return [
            cloudwatch.SingleValueWidget(title=title, metrics=[metric], width=WIDTH, height=4)
            for title, metric in figures.items()
        ]

    def _left_to_right(self) -> list[cloudwatch.IWidget]:
        api = self._application.api
        deliveries = {lane.topic for lane in routing.LANES}
        lags = {source.topic: signals.lag(source, self._cluster_name) for source in self._sources}
        channels = list(routing.Channel)
        return [
            _graph("1  Accepted: requests and 5xx", [api.metric_count(), api.metric_server_error()]),
            _graph(
                "2  Scheduled: put into Kafka",
                [signals.counted(functions.DISPATCHER, name) for name in ("queued", "put_back", "failures")],
            ),
            _graph("3  Waiting in each lane", [lag for topic, lag in lags.items() if topic in deliveries]),
            _graph(
                "4  Sent: attempts and failures",
                [signals.attempts(each, outcome) for each in channels for outcome in ("all", "failed")],
            ),
        ]

    def _health(self) -> list[cloudwatch.IWidget]:
        deployed = self._application.functions
        healed = ("indexed", "leases_expired", "requeued", "released", "buried")
        after = {routing.ACKS_TOPIC, routing.DLQ_TOPIC, routing.ESM_FAILURES_TOPIC}
        behind = [signals.lag(source, self._cluster_name) for source in self._sources if source.topic in after]
        return [
            _graph("5  Acknowledged and buried: waiting", behind),
            _graph("6  Healed", [signals.counted(functions.RECONCILER, name) for name in healed]),
            _graph("Errors", [function.metric_errors() for function in deployed.values()]),
            _graph("Throttles", [function.metric_throttles() for function in deployed.values()]),
        ]

    def _who_waits(self) -> list[cloudwatch.IWidget]:
        """Not alarmed at by project: a backlog of its own making is not for us to wake up for, and lateness is."""
        return [
            _graph("Due and not claimed: by lane, ms", [signals.lane_lag(lane) for lane in routing.LANES]),
            _graph("Due and not claimed: late projects, ms", [signals.project_lags()]),
        ]


def _tolerated_lag(source: EventSource) -> int:
    """A dead letter that waits is as bad as many deliveries that do."""
    return 0 if source.topic == routing.ESM_FAILURES_TOPIC else LAG


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=WIDTH, height=7)
