"""What went through a run full of faults is in no log either; this module comes last."""

from __future__ import annotations

from local.stack.run import LocalRun
from tests.support.log_search import check_logs


def test_no_log_of_a_failure_holds_anything_of_a_mail(faulty_stack: LocalRun) -> None:
    """No address, subject, tag or diagnostic code, where everything around a look has failed."""
    check_logs(faulty_stack)
