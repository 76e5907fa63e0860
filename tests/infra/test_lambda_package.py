"""The Lambda package: what is in it, and that it is built once."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NoReturn
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from infra.config import Config
from infra.lambda_package import ARCHITECTURE, RUNTIME, PackageError, build, function_code
from infra.stack import SesInsightsStack

TWO_MEGABYTES = 2 * 1024 * 1024


@pytest.fixture(scope="module")
def package(assembly: Path) -> Path:
    """The folder the CDK zips and uploads."""
    (folder,) = assembly.glob("asset.*")
    return folder


@pytest.fixture
def functions(tmp_path: Path) -> Path:
    """A small folder of functions."""
    folder = tmp_path / "functions"
    (folder / "ses_insights" / "cli").mkdir(parents=True)
    (folder / "requirements.txt").touch()
    (folder / "ses_insights" / "__init__.py").write_text("handler = print\n")
    (folder / "ses_insights" / "cli" / "app.py").touch()
    return folder


def asset_of(functions: Path) -> str:
    """Name the asset a function of this folder would have."""
    stack = Stack(App(context={"aws:cdk:bundling-stacks": []}))
    code = function_code(functions)
    lambda_.Function(
        stack, "F", handler="ses_insights.handlers.lookup.handler", code=code, runtime=RUNTIME
    )
    (function,) = Template.from_stack(stack).find_resources("AWS::Lambda::Function").values()
    return str(function["Properties"]["Code"]["S3Key"])


def test_it_holds_the_service_and_its_libraries(package: Path) -> None:
    """The service and the libraries it names are all there is to run."""
    names = {path.name for path in package.iterdir()}
    assert {"ses_insights", "aws_lambda_powertools", "jmespath"} <= names
    assert "typing_extensions.py" in names


def test_it_holds_nothing_else(package: Path) -> None:
    """No SDK (the runtime has it), no command line tool, no tests, no caches, nothing of pip."""
    paths = [path.relative_to(package) for path in package.rglob("*")]
    assert not [path for path in paths if path.parts[0] in {"boto3", "botocore", "bin"}]
    assert not [path for path in paths if path.parts[0] in {"typer", "rich", "pydantic"}]
    assert not [path for path in paths if path.parts[:2] == ("ses_insights", "cli")]
    assert not [path for path in paths if path.name == "RECORD"]
    assert not [path for path in paths if path.suffix in {".pyc", ".pyo", ".so"}]
    unwanted = {"__pycache__", "tests", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
    assert not [path for path in paths if unwanted & set(path.parts)]


def test_it_is_small(package: Path, tmp_path: Path) -> None:
    """Zipped it stays below 2 MB: a cold start fetches it."""
    with ZipFile(tmp_path / "package.zip", "w", ZIP_DEFLATED) as archive:
        for path in package.rglob("*"):
            archive.write(path, path.relative_to(package))
    assert (tmp_path / "package.zip").stat().st_size < TWO_MEGABYTES


def test_a_second_synthesis_builds_nothing(
    template: Template,
    assembly: Path,
    cdk_context: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The package of the synthesis before, in the same output folder, is used again."""

    def never(*_: object, **__: object) -> NoReturn:
        pytest.fail("pip was started again")

    monkeypatch.setattr(subprocess, "run", never)
    app = App(outdir=str(assembly), context=cdk_context, analytics_reporting=False)
    again = Template.from_stack(SesInsightsStack(app, "SesInsights", config=Config()))
    assert again.to_json() == template.to_json()


def test_its_name_depends_on_the_code_alone(functions: Path) -> None:
    """A change of the command line tool, of caches or of tests gives no new upload."""
    before = asset_of(functions)
    for left in (
        "ses_insights/__pycache__/x.pyc",
        "ses_insights/tests/test_it.py",
        ".mypy_cache/x",
        ".DS_Store",
    ):
        (functions / left).parent.mkdir(parents=True, exist_ok=True)
        (functions / left).write_text("left behind")
    (functions / "ses_insights" / "cli" / "app.py").write_text("changed")
    assert asset_of(functions) == before


@pytest.mark.parametrize("changed", ["ses_insights/__init__.py", "requirements.txt"])
def test_its_name_changes_with_the_code(functions: Path, changed: str) -> None:
    """A change of the code or of a pin is deployed."""
    before = asset_of(functions)
    (functions / changed).write_text("# changed\n")
    assert asset_of(functions) != before


def test_what_lies_beside_the_code_is_not_shipped(functions: Path, tmp_path: Path) -> None:
    """The command line tool, tests, caches and hidden files stay here."""
    for left in ("ses_insights/__pycache__/x.pyc", "ses_insights/tests/test_it.py", ".env"):
        (functions / left).parent.mkdir(parents=True, exist_ok=True)
        (functions / left).write_text("left behind")
    build(functions, tmp_path / "package")
    shipped = {path.name for path in (tmp_path / "package").rglob("*")}
    assert shipped == {"ses_insights", "__init__.py", "requirements.txt"}


def test_a_library_that_cannot_be_had_ends_the_synthesis(functions: Path, tmp_path: Path) -> None:
    """A failed installation says what pip said and what to check; no container is tried."""
    (functions / "requirements.txt").write_text("./no-such-folder\n")
    app = App(outdir=str(tmp_path / "cdk.out"))
    with pytest.raises(PackageError, match="no-such-folder") as failed:
        lambda_.Function(
            Stack(app, "S"),
            "F",
            handler="ses_insights.handlers.lookup.handler",
            code=function_code(functions),
            runtime=RUNTIME,
        )
    assert "Check that" in str(failed.value)
    assert "has pip" in str(failed.value)


def test_libraries_fit_the_functions_machine(template: Template) -> None:
    """What pip fetches is for the runtime and the processor the function runs on."""
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {"Runtime": "python3.14", "Architectures": ["arm64"]},
    )
    assert (RUNTIME.name, ARCHITECTURE.name) == ("python3.14", "arm64")
