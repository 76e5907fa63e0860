"""The mail that went through the stack is in the table and in alerts, and in no log.

This module comes last, after all that the others have sent through the stack.
"""

from __future__ import annotations

from local.actors.operator import FollowUps
from tests.support.deployed_stack import DeployedStack
from tests.support.log_search import check_logs


def test_no_log_holds_anything_of_a_mail(stack: DeployedStack, followups: FollowUps) -> None:
    """No address, subject, tag or diagnostic code that is in the table, no body that was parked."""
    check_logs(stack, followups)
