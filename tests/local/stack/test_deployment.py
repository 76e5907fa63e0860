"""Deploying with the CDK CLI: a synth is repeated only when something it depends on changed."""

import os
from pathlib import Path

import pytest

from local.stack.child import LocalRunError
from local.stack.deployment import Cdk, digest

CONTEXT = {"firstLookDelaySeconds": "0"}

CLI = """#!/bin/sh
echo "$@" >>"$CALLS"
while [ $# -gt 0 ]; do
    case $1 in
        --output) mkdir "$2" && echo made >"$2/manifest.json" ;;
        --outputs-file) echo '{"SesInsights": {"TableName": "t"}}' >"$2" ;;
    esac
    shift
done
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a CLI that does as the real one does, and notes how it was called."""
    folder = tmp_path / "project"
    cli = folder / "node_modules" / ".bin" / "cdk"
    for path, content in {
        "app.py": "app",
        "cdk.json": "{}",
        "constraints.txt": "boto3==1",
        "package-lock.json": "{}",
        "infra/stack.py": "stack",
        "functions/requirements.txt": "powertools",
        "functions/ses_insights/core.py": "core",
        "README.md": "words",
        "node_modules/.bin/cdk": CLI,
    }.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    cli.chmod(0o700)
    return folder


@pytest.fixture
def cdk(project: Path, tmp_path: Path) -> Cdk:
    """The CLI, in a run folder of its own."""
    return Cdk(
        project=project,
        folder=tmp_path,
        environment={**os.environ, "CALLS": str(tmp_path / "calls")},
        assemblies=tmp_path / "kept" / "assemblies",
    )


def calls(cdk: Cdk) -> list[str]:
    """How the CLI was called."""
    return (cdk.folder / "calls").read_text().splitlines()


def test_a_second_run_does_not_synthesise_again(cdk: Cdk) -> None:
    """The same sources and context give the same assembly, made once."""
    first, second = cdk.synth(CONTEXT), cdk.synth(CONTEXT)
    assert first == second
    assert (first / "manifest.json").read_text() == "made\n"
    assert len(calls(cdk)) == 1
    assert "--context firstLookDelaySeconds=0" in calls(cdk)[0]


@pytest.mark.parametrize(
    "changed",
    [
        "app.py",
        "cdk.json",
        "constraints.txt",
        "package-lock.json",
        "infra/stack.py",
        "functions/ses_insights/core.py",
        "functions/ses_insights/new.py",
    ],
)
def test_a_change_of_what_goes_in_synthesises_again(cdk: Cdk, changed: str) -> None:
    """Nothing is ever deployed that is older than its sources."""
    before = cdk.synth(CONTEXT)
    (cdk.project / changed).write_text("changed")
    assert cdk.synth(CONTEXT) != before


def test_another_context_synthesises_again(project: Path) -> None:
    """What the context keys say is part of what goes in."""
    assert digest(project, CONTEXT) != digest(project, {"firstLookDelaySeconds": "1"})


@pytest.mark.parametrize(
    "irrelevant",
    ["README.md", "functions/__pycache__/lookup.pyc", "infra/.cache/x", "node_modules/x.js"],
)
def test_other_files_do_not_matter(project: Path, irrelevant: str) -> None:
    """Pages, caches and installed packages cause no synth."""
    before = digest(project, CONTEXT)
    file = project / irrelevant
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("changed")
    assert digest(project, CONTEXT) == before


def test_assemblies_do_not_pile_up(cdk: Cdk) -> None:
    """Only the last few are kept, the one just made among them."""
    made = []
    for number in range(8):
        made.append(cdk.synth({"firstLookDelaySeconds": str(number)}))
        os.utime(made[-1], (number, number))  # a file system may not tell moments apart
    assert {path for path in made if path.exists()} == set(made[-5:])


def test_an_assembly_in_use_stays(cdk: Cdk) -> None:
    """A run that goes on from an old one does not lose it to a run that makes another."""
    made = [cdk.synth({"firstLookDelaySeconds": str(number)}) for number in range(5)]
    for number, path in enumerate(made):
        os.utime(path, (number, number))
    used = cdk.synth({"firstLookDelaySeconds": "0"})
    cdk.synth({"firstLookDelaySeconds": "5"})
    assert used.exists()
    assert not made[1].exists()


def test_a_renamed_file_is_a_change(project: Path) -> None:
    """The same content under another name is another source."""
    before = digest(project, CONTEXT)
    (project / "infra/stack.py").rename(project / "infra/stacks.py")
    assert digest(project, CONTEXT) != before


def test_a_deployment_gives_the_outputs_of_the_stack(cdk: Cdk) -> None:
    """The outputs come back by name, without the stack's."""
    assert cdk.deploy(cdk.synth(CONTEXT)) == {"TableName": "t"}


def test_the_app_runs_only_for_a_synth(cdk: Cdk) -> None:
    """Bootstrap and deploy take the assembly that is there."""
    assembly = cdk.synth(CONTEXT)
    cdk.bootstrap(assembly)
    cdk.deploy(assembly)
    synth, *others = calls(cdk)
    assert [f"--app {assembly}" in call for call in (synth, *others)] == [False, True, True]


def test_the_cli_speaks_to_no_other_host(cdk: Cdk) -> None:
    """No telemetry, no notices, no version check, and nothing written to the home folder."""
    (cdk.project / "node_modules/.bin/cdk").write_text('#!/bin/sh\nenv >"$CALLS"; echo "$@"\n')
    cdk.bootstrap(Path("assembly"))
    environment = calls(cdk)
    assert "CDK_DISABLE_CLI_TELEMETRY=true" in environment
    assert "CDK_DISABLE_VERSION_CHECK=true" in environment
    assert f"CDK_HOME={cdk.folder}/cdk-home" in environment
    assert "--no-notices" in (cdk.folder / "cdk.log").read_text()


def test_a_failed_deployment_shows_what_the_cli_said(cdk: Cdk) -> None:
    """The CLI's own output reaches the person who started the run."""
    (cdk.project / "node_modules/.bin/cdk").write_text("#!/bin/sh\necho no such role; exit 1\n")
    with pytest.raises(LocalRunError, match=r"`cdk bootstrap` failed with exit code 1") as error:
        cdk.bootstrap(Path("assembly"))
    assert "  | no such role" in str(error.value)


def test_a_missing_cli_is_reported(cdk: Cdk) -> None:
    """Without the set-up, the message says what is missing and how it gets there."""
    (cdk.project / "node_modules/.bin/cdk").unlink()
    with pytest.raises(LocalRunError, match=r"The CDK CLI is missing: .*Run `make synth`"):
        cdk.synth(CONTEXT)
