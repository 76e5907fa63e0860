"""What holds for every test: no AWS account, no network, the same examples at every run."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from local.stack.sandbox import ACCESS_KEY, REGION, search_path, without_aws_settings
from tests.support.findings import Findings

pytest_plugins = ["tests.support.template"]

TESTS = Path(__file__).parent

LOOPBACK = ["127.0.0.1", "localhost", "::1"]
ON_LOOPBACK = frozenset({"end_to_end", "local"})
"""Folders whose tests talk to servers on this machine; all others cannot open a socket."""


FINDINGS = pytest.StashKey[Findings]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make prove` ask for a page."""
    parser.addoption("--findings", type=Path, help="write what the tests measured into this file")


@pytest.fixture(scope="session")
def findings(pytestconfig: pytest.Config) -> Findings:
    """Takes what a test measures; it is written down at the end where that is asked for."""
    return pytestconfig.stash[FINDINGS]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Write the page, unless a test has failed: its figures would not be the whole."""
    page: Path | None = config.getoption("--findings")
    if page is None:
        return
    if exitstatus != pytest.ExitCode.OK:
        terminalreporter.write_line(f"{page} stays as it is: not every test has passed.")
        return
    page.write_text(config.stash[FINDINGS].page(datetime.now(UTC)))
    terminalreporter.write_line(f"{page} holds what was measured.")


def pytest_configure(config: pytest.Config) -> None:
    """Take the caller's AWS settings out of the environment before any test module is imported."""
    config.stash[FINDINGS] = Findings()
    clean = without_aws_settings(os.environ)
    os.environ.clear()
    os.environ.update(clean)
    os.environ |= {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PATH": search_path(os.environ),  # jsii starts Node.js
    }
    # A red run can be repeated, and a slow machine is no failure. `make prove` takes other examples
    # each time, and more of them: --hypothesis-profile random.
    settings.register_profile("project", derandomize=True, deadline=None)
    settings.register_profile("random", max_examples=1_000, deadline=None, print_blob=True)
    # For `make mutants`: a failure is all it asks for, not its simplest example.
    settings.register_profile(
        "mutants", settings.get_profile("project"), phases=[Phase.explicit, Phase.generate]
    )
    settings.load_profile("project")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Spread the tests over the workers so that those of a stack share one."""
    return ByStack(config, log)


OF_THE_TEMPLATE = ("tests/infra/", "tests/tools/test_architecture.py", "tests/tools/test_costs.py")
"""Tests of the synthesised stack, which is made once for all of them."""


class ByStack(LoadFileScheduling):
    """Gives a worker a file, or as a whole what shares a stack or the template."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        if file.startswith(OF_THE_TEMPLATE):
            return OF_THE_TEMPLATE[0]
        return file.rpartition("/")[0] if "/end_to_end/" in file else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Allow loopback, and nothing beyond, in the folders that need it.

    End-to-end tests come first: they mostly wait, and beside them a worker has the others.
    """
    items.sort(key=_is_end_to_end, reverse=True)
    for item in items:
        if _folder(item) in ON_LOOPBACK:
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))
        if _is_end_to_end(item):
            item.add_marker(pytest.mark.end_to_end)
        if isinstance(item, pytest.Function) and "findings" in item.fixturenames:
            item.add_marker(pytest.mark.measured)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


def _is_end_to_end(item: pytest.Item) -> bool:
    return _folder(item) == "end_to_end"
