"""How many follow-ups may join the queue now without standing in front of fresh ids."""

from __future__ import annotations


def free_looks(  # noqa: PLR0913 - keyword-only facts of one moment
    *,
    visible: int,
    delayed: int,
    in_flight: int,
    delay: float,
    period: float,
    interval: float,
    follow_ups: int | None = None,
    first_looks: float = 1.0,
) -> int:
    """Tell how many looks a run may add to the queue.

    What is added becomes visible after the queue's ``delay`` and is served until the next run's
    becomes visible, ``interval`` later. Everything in the queue, it included, is served by then at
    one look a ``period``. A run adds at most what is served until the next run, so that what
    becomes visible is spread. All times are seconds.

    Under overload most of the queue is fresh ids that get no look, and these take no slot. So of
    the delayed messages only ``follow_ups`` count in full, and of the fresh ones the share
    ``first_looks``. Where the number of follow-ups is not known, every message counts in full.
    """
    sure = delayed if follow_ups is None else min(follow_ups, delayed)
    ahead = visible + in_flight + sure + first_looks * (delayed - sure)
    room = int((delay + interval) / period - ahead)
    in_a_run = max(1, int(interval / period))
    return max(0, min(room, in_a_run))
