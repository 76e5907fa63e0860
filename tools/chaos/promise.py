"""What a run may not break, each by the sentence that a report names it with."""

from __future__ import annotations

from enum import StrEnum


class Promise(StrEnum):
    """The promises; `tests/tools/chaos/test_known_bugs.py` has a bug that breaks each."""

    # What is enqueued
    HANDLED = "each id is a row or parked"
    DRAINED = "the queue is empty in the end"
    KEPT_BY_SQS = "SQS drops nothing that nobody handled"
    QUEUE_MOVES = "the queue does not stand behind one id"
    CAUGHT = "nothing escapes the handler"

    # Rows
    NEXT_OR_FINAL = "a message has a next look or a reason for none"
    IN_A_LANE = "what waits is in a lane"
    NOT_LEFT_BEHIND = "nothing that waits is left behind"
    COUNTED = "each answer of SES is a look"
    SCARCE = "a look is given up only for want of slots"
    STORED = "what SES showed is stored"
    REMEMBERED = "an event is not forgotten"
    COUNTED_ONCE = "opens and clicks are counted once"
    NOT_DELETED = "a row is deleted by an erasure or by its expiry"
    OUTLIVES_SES = "no row expires before SES has forgotten its mail"

    # Alerts
    RAISED = "what is alertable raises an alert"
    LISTED = "what SES lists raises an alert"
    ONE_EACH = "an event has one alert"
    PENDING_OR_PUBLISHED = "an alert is published or waits"
    STAYS_PUBLISHED = "what was published stays published"
    STORED_FIRST = "an alert is stored before it is published"
    PUBLISHED = "an alert is published"
    ONCE_A_CLAIM = "an alert is published once for each claim of it"
    TWICE_FOR_A_FAULT = "an alert is published twice only where something failed"
    NEVER_AGAIN = "what is known to be published is not published again"
    PENDING_FIRST = "what is pending is published before SES is asked"

    # Summaries
    SUMMED_ONCE = "summaries count each alert once"
    SUMMED_RIGHT = "a summary counts its alerts"
    SUMMED_ALL = "what people do not get one by one is in a summary"

    # Erasing
    STAYS_ERASED = "what was erased is not stored again"
    STAYS_EMPTY = "an erased message stays empty"
    ERASED_UNPUBLISHED = "nothing erased is published"

    # The pace
    PACE = "two calls are a period apart"
    PACE_OF_THE_LIST = "two calls about the list are a period apart"
