"""The Lambda package: the service's own code and its libraries, built without Docker."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, IgnoreMode, ILocalBundling
from aws_cdk import aws_lambda as lambda_

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"
RUNTIME = lambda_.Runtime.PYTHON_3_14
ARCHITECTURE = lambda_.Architecture.ARM_64

# What lies beside the functions' code and is not part of it, the command line tool among it.
NOT_SHIPPED = ("__pycache__", "*.py[co]", ".*", "tests", "cli")

# Fetches what fits the function's machine, not this one; never builds from source. No .pyc: they
# would be this Python's, and differ from build to build.
PIP_INSTALL = (
    *("install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-color"),
    *("--no-compile", "--no-deps", "--only-binary=:all:"),
    *("--platform", "manylinux2014_aarch64"),
    *("--implementation", "cp", "--python-version", "3.14"),
)


class PackageError(SystemExit):
    """The package could not be built; the text says why and what to do.

    It ends the synthesis: any other exception raised during bundling would come out of CDK as a
    page of JavaScript.
    """


def function_code(functions: Path = FUNCTIONS) -> lambda_.Code:
    """Package the folder `functions` for Lambda.

    The asset is named by a hash of the sources and the pip options. What is in the output folder
    under that name is used again and nothing is installed.
    """
    return lambda_.Code.from_asset(
        str(functions),
        exclude=[*NOT_SHIPPED],
        ignore_mode=IgnoreMode.GIT,
        asset_hash_type=AssetHashType.SOURCE,
        bundling=BundlingOptions(
            # Required, and never run: the local bundling succeeds or raises.
            image=DockerImage.from_registry("none"),
            command=["pip", *PIP_INSTALL],
            local=_WithPip(functions),
        ),
    )


def build(functions: Path, into: Path) -> None:
    """Put the libraries of `functions/requirements.txt` and the service's code `into` a folder.

    Raises PackageError.
    """
    command = [sys.executable, "-m", "pip", *PIP_INSTALL, "--target", str(into)]
    requirements = functions / "requirements.txt"
    pip = subprocess.run(  # noqa: S603 - fixed arguments and the project's own file
        [*command, "--requirement", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
    )
    if pip.returncode != 0:
        raise PackageError(
            f"The Lambda package was not built: pip could not install {requirements}.\n"
            f"{pip.stderr.strip()}\n"
            f"Check that {sys.executable} has pip, that it reaches a package index, and that the "
            "pinned versions have a wheel for Python 3.14 on arm64 Linux; then try again."
        )
    # Command line tools of the libraries; their first line names this machine's Python.
    shutil.rmtree(into / "bin", ignore_errors=True)
    # Hashes of every file, for pip to uninstall it by.
    for record in into.glob("*.dist-info/RECORD"):
        record.unlink()
    shutil.copytree(
        functions, into, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*NOT_SHIPPED)
    )


@jsii.implements(ILocalBundling)
class _WithPip:
    """Builds in this process's Python, where CDK would otherwise start a container."""

    def __init__(self, functions: Path) -> None:
        self._functions = functions

    def try_bundle(self, output_dir: str, *, image: DockerImage, **_options: object) -> bool:
        del image  # named because jsii passes options by name
        build(self._functions, Path(output_dir))
        return True
