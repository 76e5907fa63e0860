"""`app.py` as the CDK CLI runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def run_app(outdir: Path, **context: object) -> subprocess.CompletedProcess[str]:
    """Run app.py with context passed the way the CLI does, its package not built."""
    context["aws:cdk:bundling-stacks"] = []
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=REPOSITORY,
        env={**os.environ, "CDK_OUTDIR": str(outdir), "CDK_CONTEXT_JSON": json.dumps(context)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_bad_context_value_ends_it_with_a_message(tmp_path: Path) -> None:
    """A mistake in the context gives exit code 1 and a sentence, and no stack trace."""
    app = run_app(tmp_path, firstLookDelaySeconds="1000", removalPolicy="keep")
    assert app.returncode == 1
    assert 'firstLookDelaySeconds: "1000" is not allowed. Use a whole number' in app.stderr
    assert 'removalPolicy: "keep" is not allowed. Use "retain"' in app.stderr
    assert "Traceback" not in app.stdout + app.stderr
    assert not list(tmp_path.iterdir())


def test_a_key_that_is_not_known_ends_it_with_a_message(tmp_path: Path) -> None:
    """A choice does not vanish because of a slip; keys of the CDK pass, as in every other test."""
    app = run_app(tmp_path, alertMail="x@example.com")
    assert app.returncode == 1
    assert "alertMail: there is no such key. Did you mean alertEmail?" in app.stderr
    assert "Traceback" not in app.stdout + app.stderr
    assert not list(tmp_path.iterdir())


def test_the_stack_has_the_chosen_name(tmp_path: Path) -> None:
    """Context on the command line reaches the template, which needs no account."""
    app = run_app(tmp_path, stackName="Mail", firstLookDelaySeconds="60")
    assert app.returncode == 0, app.stderr
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["artifacts"]["Mail"]["environment"] == "aws://unknown-account/unknown-region"
    assert '"DelaySeconds": 60' in (tmp_path / "Mail.template.json").read_text()
