"""The stack against the rules of others: cdk-nag's AwsSolutions pack and cfn-lint."""

from __future__ import annotations

from pathlib import Path

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_sqs as sqs
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
    """Every rule of the pack is kept, or acknowledged where and why it cannot be."""
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
