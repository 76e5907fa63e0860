"""The stack, synthesised once for all tests, the way the CDK CLI does it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra.config import Config
from infra.stack import SesInsightsStack

REPOSITORY = Path(__file__).resolve().parents[2]

# Every key away from its default.
CHOSEN = Config(
    stack_name="Mail",
    first_look_delay_seconds=0,
    lookup_period_seconds=2.5,
    follow_up_ladder=(60, 3600),
    retention_days=30,
    alert_email="mail@example.com",
    ops_email="ops@example.com",
    chat_notifications=True,
    redact_subjects=True,
    removal_policy="destroy",
    reserve_concurrency=False,
    intake_sent=True,
    intake_feedback=True,
    watch_suppression_list=False,
    bounce_rate_alarm=4,
    complaint_rate_alarm=None,
    table_key="customer",
    quiet_days=1,
)


@pytest.fixture(scope="session")
def cdk_context() -> dict[str, object]:
    """The context of cdk.json: without its feature flags the CLI would build another template."""
    settings = json.loads((REPOSITORY / "cdk.json").read_text())
    return {"aws:cdk:enable-path-metadata": True, **settings["context"]}


@pytest.fixture(scope="session")
def outdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the default stack and its package are synthesised."""
    return tmp_path_factory.mktemp("cdk.out")


@pytest.fixture(scope="session")
def template(outdir: Path, cdk_context: dict[str, object]) -> Template:
    """The stack with every context key at its default, its package built."""
    app = App(outdir=str(outdir), context=cdk_context, analytics_reporting=False)
    return Template.from_stack(SesInsightsStack(app, "SesInsights", config=Config()))


@pytest.fixture(scope="session")
def assembly(template: Template, outdir: Path) -> Path:
    """The folder `outdir`, once everything is in it."""
    del template
    return outdir


@pytest.fixture(scope="session")
def chosen(cdk_context: dict[str, object]) -> Template:
    """The stack with every context key away from its default, its package not built."""
    context = {**cdk_context, "aws:cdk:bundling-stacks": []}
    app = App(context=context, analytics_reporting=False)
    return Template.from_stack(SesInsightsStack(app, "Mail", config=CHOSEN))
