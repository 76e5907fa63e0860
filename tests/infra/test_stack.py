"""The stack as a whole: its outputs, and the rules of cdk-nag's AwsSolutions pack and cfn-lint."""

from __future__ import annotations

from pathlib import Path

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Annotations, Match, Template
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import ManualArgs, lint_file  # type: ignore[import-untyped]

from infra.config import Config
from infra.stack import SesInsightsStack

# CDK itself makes a function depend on its role, beside naming the role in it.
WRITTEN_BY_CDK = "W3005"


@pytest.fixture
def checked(tmp_path: Path, cdk_context: dict[str, object]) -> App:
    """An app that does not synthesise when the AwsSolutions pack finds something."""
    context = {**cdk_context, "aws:cdk:bundling-stacks": []}
    app = App(outdir=str(tmp_path), context=context, analytics_reporting=False)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


def test_aws_solutions_finds_nothing(checked: App) -> None:
    """Every rule of the pack is met, or acknowledged with a reason."""
    SesInsightsStack(checked, "SesInsights", config=Config())
    assert checked.synth().get_stack_by_name("SesInsights").template


def test_aws_solutions_would_find_something(checked: App) -> None:
    """The pack is at work: a queue without TLS and dead letters does not pass."""
    sqs.Queue(Stack(checked, "Careless"), "Queue")
    with pytest.raises(RuntimeError, match="AwsSolutions-SQS4"):
        checked.synth()


def test_cfn_lint_finds_nothing(assembly: Path) -> None:
    """CloudFormation's own linter has no error and no warning about the template."""
    found = lint_file(
        assembly / "SesInsights.template.json", config=ManualArgs(ignore_checks=[WRITTEN_BY_CDK])
    )
    assert not [str(match) for match in found]


@pytest.mark.parametrize(
    ("alerts", "operations", "missing"),
    [
        (None, None, ["alertEmail", "opsEmail"]),
        ("a@example.com", None, ["opsEmail"]),
        (None, "o@example.com", ["alertEmail"]),
        ("a@example.com", "o@example.com", []),
    ],
)
def test_the_synthesis_warns_where_nobody_is_subscribed(
    cdk_context: dict[str, object], alerts: str | None, operations: str | None, missing: list[str]
) -> None:
    """And names the key that subscribes somebody."""
    app = App(context={**cdk_context, "aws:cdk:bundling-stacks": []}, analytics_reporting=False)
    config = Config(alert_email=alerts, ops_email=operations)
    stack = SesInsightsStack(app, "SesInsights", config=config)
    found = Annotations.from_stack(stack).find_warning(
        "*", Match.string_like_regexp("Nobody is subscribed")
    )
    texts = [str(each.entry.data) for each in found]
    assert len(texts) == len(missing)
    assert all(f"Set {key} in cdk.json" in text for key, text in zip(missing, texts, strict=True))


def test_a_key_of_the_customer_is_no_finding(checked: App) -> None:
    """Nor is what the functions may do with it."""
    config = Config(table_key="customer", chat_notifications=True)
    SesInsightsStack(checked, "SesInsights", config=config)
    assert checked.synth().get_stack_by_name("SesInsights").template


@pytest.mark.parametrize(
    "name",
    [
        *("QueueUrl", "DeadLetterQueueUrl", "TableName"),
        *("AlertTopicArn", "OpsTopicArn", "LookupFunctionName", "FollowUpFunctionName"),
        "DashboardName",
    ],
)
def test_outputs_have_their_contract_names(template: Template, name: str) -> None:
    """Other programs find the parts of the stack by these names."""
    template.has_output(name, {"Value": Match.any_value(), "Description": Match.any_value()})


def test_names_are_left_to_cloudformation(template: Template) -> None:
    """No queue, table, topic or function has a fixed name: a change can replace any of them."""
    for kind, name in (
        ("AWS::SQS::Queue", "QueueName"),
        ("AWS::DynamoDB::GlobalTable", "TableName"),
        ("AWS::SNS::Topic", "TopicName"),
        ("AWS::Lambda::Function", "FunctionName"),
        ("AWS::Logs::LogGroup", "LogGroupName"),
        ("AWS::IAM::Role", "RoleName"),
    ):
        template.all_resources_properties(kind, {name: Match.absent()})
