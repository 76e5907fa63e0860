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
) -> int:
    """Tell how many looks a run may add to the queue.

    What is added becomes visible after the queue's ``delay`` and is served until the next run's
    becomes visible, ``interval`` later. Everything in the queue, it included, is served by then at
    one look a ``period``. A run adds at most what is served until the next run, so that what
    becomes visible is spread. All times are seconds.
    """
    served_by_then = int((delay + interval) / period)
    served_in_a_run = int(interval / period)
    room = served_by_then - (visible + delayed + in_flight)
    return max(0, min(room, served_in_a_run))
