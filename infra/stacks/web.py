"""One origin for people and programs: the dashboard's files, and ``/v1/*`` of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as certificates
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment

from infra.nag import acknowledge, logical_id
from infra.page_headers import content_security_policy
from infra.settings import ROOT

if TYPE_CHECKING:
    from aws_cdk import aws_apigateway as apigateway
    from constructs import Construct

    from infra.settings import ConsoleSettings, DomainSettings, Settings

# Built by ``make setup``.
PAGES = ROOT / ".local" / "build" / "dashboard"

# The dashboard is one page that routes by itself. An error response that turned 403 into it would swallow the API's
# own 403s, which pass through the same distribution: so the paths are rewritten on their way in.
TO_THE_PAGE = """
function handler(event) {
  var request = event.request;
  if (!request.uri.split('/').pop().includes('.')) request.uri = '/index.html';
  return request;
}
"""


class WebStack(cdk.Stack):
    """The distribution is the only other public thing beside the API."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        domain: DomainSettings | None,
        console: ConsoleSettings,
        api: apigateway.RestApi,
        env: cdk.Environment,
    ) -> None:
        super().__init__(scope, construct_id, env=env)
        self._settings = settings
        self._console = console
        self._logs = self._bucket("Logs", object_ownership=s3.ObjectOwnership.OBJECT_WRITER)
        self._files = self._bucket("Files", server_access_logs_bucket=self._logs)
        self.distribution = self._distribution(api, domain)
        self._publish()
        self._acknowledge(domain)
        cdk.CfnOutput(self, "DashboardUrl", value=f"https://{self.distribution.domain_name}")

    def _bucket(self, name: str, **options: Any) -> s3.Bucket:
        return s3.Bucket(
            self,
            name,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            removal_policy=cdk.RemovalPolicy.RETAIN if self._settings.retain_data else cdk.RemovalPolicy.DESTROY,
            **options,
        )

    def _distribution(self, api: apigateway.RestApi, domain: DomainSettings | None) -> cloudfront.Distribution:
        return cloudfront.Distribution(
            self,
            "Distribution",
            default_root_object="index.html",
            log_bucket=self._logs,
            log_file_prefix="distribution/",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(self._files),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                response_headers_policy=self._headers(),
                function_associations=[self._to_the_page()],
            ),
            additional_behaviors={"/v1/*": _api_behaviour(api)},
            **self._named(domain),
        )

    def _headers(self) -> cloudfront.ResponseHeadersPolicy:
        endpoint = self._console.appwrite.endpoint if self._console.appwrite else None
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=content_security_policy(endpoint), override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=cdk.Duration.days(365), include_subdomains=True, override=True
                ),
            ),
        )

    def _to_the_page(self) -> cloudfront.FunctionAssociation:
        function = cloudfront.Function(
            self,
            "ToThePage",
            code=cloudfront.FunctionCode.from_inline(TO_THE_PAGE),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
        )
        return cloudfront.FunctionAssociation(function=function, event_type=cloudfront.FunctionEventType.VIEWER_REQUEST)

    def _named(self, domain: DomainSettings | None) -> dict[str, Any]:
        if domain is None:
            return {}
        certificate = certificates.Certificate.from_certificate_arn(self, "Certificate", domain.certificate_arn)
        return {
            "domain_names": [domain.name],
            "certificate": certificate,
            "minimum_protocol_version": cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
        }

    def _publish(self) -> None:
        deployment.BucketDeployment(
            self,
            "Pages",
            sources=[deployment.Source.asset(str(PAGES)), deployment.Source.json_data("config.json", self._config())],
            destination_bucket=self._files,
            distribution=self.distribution,
        )

    def _config(self) -> dict[str, Any]:
        """What the page is told about where people sign in (``dashboard/src/config.ts``)."""
        appwrite = self._console.appwrite
        if appwrite is None:
            return {"appwrite": {"endpoint": "", "project": "", "oauth": []}}
        oauth = appwrite.oauth.split(",") if appwrite.oauth else []
        return {"appwrite": {"endpoint": appwrite.endpoint, "project": appwrite.project, "oauth": oauth}}

    def _acknowledge(self, domain: DomainSettings | None) -> None:
        self._acknowledge_publisher()
        acknowledge(self._logs, "S1", "It is the bucket of the access logs")
        acknowledge(self.distribution, "CFR1", "Notifications are sent for people in any country")
        acknowledge(self.distribution, "CFR2", "The firewall is on the API, which has an address of its own")
        if domain is None:
            acknowledge(self.distribution, "CFR4", "Without a domain of one's own, CloudFront chooses the TLS version")

    def _acknowledge_publisher(self) -> None:
        """The CDK's function that copies the pages during a deploy; its rights are the CDK's to choose."""
        account = cdk.Stack.of(self).account
        known = "<AWS::AccountId>" if cdk.Token.is_unresolved(account) else account
        findings = [
            "L1",
            "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]",
            "IAM5[Resource::*]",
            f"IAM5[Resource::<{logical_id(self._files)}.Arn>/*]",
            f"IAM5[Resource::arn:aws:s3:::cdk-hnb659fds-assets-{known}-{self.region}/*]",
            *(f"IAM5[Action::s3:{action}*]" for action in ("Abort", "DeleteObject", "GetBucket", "GetObject", "List")),
        ]
        for child in self.node.children:
            if child.node.id.startswith("Custom::CDKBucketDeployment"):
                for finding in findings:
                    acknowledge(child, finding, "The CDK's own function that copies the pages during a deploy")


def _api_behaviour(api: apigateway.RestApi) -> cloudfront.BehaviorOptions:
    """Every header but Host, which is how API Gateway knows which API is meant; nothing is cached."""
    return cloudfront.BehaviorOptions(
        origin=origins.RestApiOrigin(api),
        allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
        cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
        origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
    )
