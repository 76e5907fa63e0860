"""No log of a stack full of faults holds anything of a mail; this module comes last."""

from __future__ import annotations

from local.actors.operator import FollowUps
from tests.support.deployed_stack import DeployedStack
from tests.support.log_search import check_logs


def test_no_log_of_a_failure_holds_anything_of_a_mail(
    stack: DeployedStack, followups: FollowUps
) -> None:
    """No address, subject, tag or diagnostic code, where everything around a look has failed."""
    check_logs(stack, followups)
