"""The real CDK CLI on the local AWS: synth once for the same sources, bootstrap, deploy."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.stack.child import LocalRunError, Program, complete
from local.stack.sandbox import REGION

SYNTH_INPUTS = ("app.py", "cdk.json", "infra", "functions", "constraints.txt", "package-lock.json")
ACCOUNT = "000000000000"
STEP_SECONDS = 300.0

ASSEMBLIES_KEPT = 5
"""More than the contexts in use: the demo's, that of `make local`, the tests'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cdk:
    """The CDK CLI of this project, working in a sandbox environment."""

    project: Path
    folder: Path
    environment: Mapping[str, str]
    assemblies: Path
    """Cloud assemblies of earlier runs, by a digest of what they were made from."""

    def synth(self, context: Mapping[str, str]) -> Path:
        """The cloud assembly for `context`: an earlier run's if nothing it depends on changed."""
        assembly = self.assemblies / digest(self.project, context)
        if not assembly.exists():
            fresh = self.folder / "cdk.out"
            settings = [part for key in context for part in ("--context", f"{key}={context[key]}")]
            self._run("synth", "--quiet", "--output", fresh, *settings)
            self.assemblies.mkdir(parents=True, exist_ok=True)
            _keep(fresh, assembly)
            _drop_oldest(self.assemblies)
        os.utime(assembly)  # a run beside this one drops what was not used for the longest time
        return assembly

    def bootstrap(self, assembly: Path) -> None:
        """Create the bucket and the roles through which `deploy` works.

        Without an assembly the CLI would run the app once more.
        """
        self._run("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", assembly)

    def deploy(self, assembly: Path) -> dict[str, str]:
        """Deploy the assembly's one stack and return its outputs."""
        outputs = self.folder / "outputs.json"
        self._run(
            *("deploy", "--all", "--app", assembly, "--outputs-file", outputs),
            *("--require-approval", "never", "--method", "direct", "--progress", "events"),
        )
        (stack,) = json.loads(outputs.read_text()).values()
        return dict(stack)

    def _run(self, action: str, *arguments: str | Path) -> None:
        cli = self.project / "node_modules" / ".bin" / "cdk"
        if not cli.exists():
            raise LocalRunError(f"The CDK CLI is missing: there is no {cli}. Run `make synth`.")
        complete(
            Program(
                name=f"`cdk {action}`",
                command=(cli, action, *arguments, "--no-color", "--no-notices", "--ci"),
                environment={**self.environment, **self._quiet()},
                log=self.folder / "cdk.log",
                folder=self.project,
            ),
            seconds=STEP_SECONDS,
        )

    def _quiet(self) -> dict[str, str]:
        """No telemetry, no look for newer versions, and nothing kept in the home folder."""
        return {
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DISABLE_VERSION_CHECK": "true",
            "CDK_HOME": str(self.folder / "cdk-home"),
        }


def digest(project: Path, context: Mapping[str, str]) -> str:
    """A name for all that a synth depends on: the sources, the pinned packages, the context."""
    seen = hashlib.sha256(json.dumps(context, sort_keys=True).encode())
    for path in _sources(project):
        content = path.read_bytes()
        seen.update(f"{path.relative_to(project)}\0{len(content)}\0".encode() + content)
    return seen.hexdigest()[:16]


def _sources(project: Path) -> Iterator[Path]:
    for name in SYNTH_INPUTS:
        root = project / name
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            parts = path.relative_to(project).parts
            hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
            if path.is_file() and not hidden:
                yield path


def _keep(fresh: Path, assembly: Path) -> None:
    """Move a whole assembly into place at once; a run beside this one may have been faster."""
    try:
        fresh.rename(assembly)
    except OSError:
        if not assembly.exists():
            raise
        shutil.rmtree(fresh)


def _drop_oldest(assemblies: Path) -> None:
    made = sorted(assemblies.iterdir(), key=lambda path: path.stat().st_mtime)
    for path in made[:-ASSEMBLIES_KEPT]:
        shutil.rmtree(path, ignore_errors=True)
