"""What a summary names of the many alerts that it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from ses_insights.domain.alert import AlertType, Grouping
from ses_insights.domain.explanation import explain_reason
from ses_insights.domain.reasons import Reason, Severity
from ses_insights.domain.surge import Finding, Group, Summary, Surge, Top, counted, summarized
from ses_insights.domain.times import iso
from tests.support.fakes import START

GROUP = Group(AlertType.BOUNCE, Reason.ADDRESS_UNKNOWN, "zoo.example")


def finding(number: int) -> Finding:
    """One of many; the lower its number, the more others share its tag, provider and domain."""
    kinds = [f"{kind}" for kind in range(7) if number % (kind + 2) == 0]
    return Finding(
        message_id=f"message-{number}",
        alert_id=f"{number:032x}",
        isp=f"Isp {len(kinds)}",
        destination_domain=f"{len(kinds)}.example",
        email_tags={"cage": tuple(kinds)},
    )


def test_it_names_the_five_tags_three_providers_and_three_domains_that_most_share() -> None:
    """And five mails as examples: a person reads it at a glance."""
    surge = Surge(GROUP, iso(START), 840, iso(START))
    findings = [finding(number) for number in range(840)]
    now = START + timedelta(minutes=6)
    _, summary = summarized(surge, findings, explain_reason(GROUP.reason), now=now, surge_after=5)
    assert [(top.value, top.count) for top in summary.top_tags] == [
        ("0", 420),
        ("1", 280),
        ("2", 210),
        ("3", 168),
        ("4", 140),
    ]
    assert (len(summary.top_isps), len(summary.top_domains)) == (3, 3)
    assert [example.message_id for example in summary.examples] == [
        f"message-{number}" for number in range(5)
    ]


def written(surge: Surge, number: int, minutes: float = 70) -> tuple[Surge, Summary]:
    """Write the summary that is due so many minutes after the start, of so many alerts."""
    return summarized(
        surge,
        [finding(each) for each in range(number)],
        explain_reason(GROUP.reason),
        now=START + timedelta(minutes=minutes),
        surge_after=5,
    )


BEGAN: Final = Surge(GROUP, iso(START), 6, iso(START), next_summary_at=iso(START))
GOES_ON: Final = replace(BEGAN, summarized=6, summarized_to=iso(START + timedelta(minutes=9)))


def test_the_first_summary_never_ends_a_surge() -> None:
    """Even where what it counts has been erased meanwhile."""
    following, summary = written(BEGAN, 0)
    assert not summary.has_ended
    assert following.next_summary_at == iso(START + timedelta(minutes=130))


@pytest.mark.parametrize(("number", "has_ended"), [(5, True), (6, False)])
def test_a_surge_ends_after_an_hour_with_as_many_as_come_one_by_one(
    number: int, *, has_ended: bool
) -> None:
    """Five, where five are published by themselves."""
    assert written(GOES_ON, number)[1].has_ended is has_ended


@pytest.mark.parametrize(("seconds", "has_ended"), [(-0.001, True), (0, False)])
def test_a_surge_does_not_end_over_an_alert_that_is_in_no_summary(
    seconds: float, *, has_ended: bool
) -> None:
    """What came at the very end of the time is counted by the next one."""
    last = START + timedelta(minutes=69, seconds=seconds)
    assert written(replace(GOES_ON, last_at=iso(last)), 1)[1].has_ended is has_ended


def test_each_summary_of_a_surge_has_an_id_of_its_own() -> None:
    """And a repeat the same one."""
    following, first = written(BEGAN, 6, minutes=6)
    _, second = written(following, 6)
    assert first.alert_id != second.alert_id
    assert written(following, 6, minutes=71)[1].alert_id == second.alert_id


def test_a_large_surge_is_one_step_graver_than_its_alerts() -> None:
    """Of fifty unknown addresses, medium each, the summary is high."""
    assert written(BEGAN, 49)[1].severity is Severity.MEDIUM
    assert written(BEGAN, 50)[1].severity is Severity.HIGH


def test_the_total_is_that_of_all_summaries_of_a_surge() -> None:
    """Each counts its own time."""
    following, first = written(BEGAN, 8, minutes=6)
    _, second = written(following, 9)
    assert (first.count, first.total, second.count, second.total) == (8, 8, 9, 17)


def test_the_identity_of_a_summary_never_changes() -> None:
    """Subscribers know it by its id, and its row bears it: it is frozen."""
    assert written(BEGAN, 6)[1].alert_id == "1764327c8a016ea724e76b3f9091ab95"


def test_what_is_named_comes_in_order_of_its_count_and_then_by_name() -> None:
    """So a repeat names the same; a tag that two mails share is named, that of one is not."""
    providers = ["Web", "Mail", "Mail", "Post", "Post", "Post", None, "Aero"]
    tags = ["spring", "spring", "winter", "sale", "sale", "sale", "autumn", ""]
    findings = [
        replace(finding(number), isp=isp, email_tags={"campaign": (tag,)})
        for number, (isp, tag) in enumerate(zip(providers, tags, strict=True))
    ]
    _, summary = summarized(BEGAN, findings, explain_reason(GROUP.reason), now=START, surge_after=5)
    assert summary.top_isps == (Top("Post", 3), Top("Mail", 2), Top("Aero", 1))
    assert summary.top_tags == (Top("sale", 3, "campaign"), Top("spring", 2, "campaign"))


def test_after_its_end_a_new_count_begins() -> None:
    """What comes next is the first of another hour."""
    ended, _ = written(GOES_ON, 0)
    assert ended.next_summary_at is None
    now = START + timedelta(minutes=80)
    begun, grouping = counted(ended, GROUP, now=now, surge_after=5)
    assert grouping is Grouping.SINGLE
    assert (begun.since, begun.count, begun.summarized, begun.summarized_to) == (
        iso(now),
        1,
        0,
        None,
    )


@pytest.mark.parametrize(("minutes", "count"), [(59, 4), (60, 1)])
def test_an_hour_after_the_first_alert_counting_begins_anew(minutes: int, count: int) -> None:
    """Where it has not become a surge."""
    quiet = Surge(GROUP, iso(START), 3, iso(START))
    now = START + timedelta(minutes=minutes)
    after, _ = counted(quiet, GROUP, now=now, surge_after=5)
    assert after.count == count


def test_the_first_alert_of_a_group_begins_a_count() -> None:
    """It is single."""
    begun, grouping = counted(None, GROUP, now=START, surge_after=5)
    assert begun == Surge(GROUP, iso(START), 1, iso(START))
    assert (begun.version, grouping) == (0, Grouping.SINGLE)


@pytest.mark.parametrize(
    ("before", "grouping", "summary"),
    [(4, Grouping.SINGLE, None), (5, Grouping.GROUPED, "2026-11-23T10:35:00.000Z")],
)
def test_the_sixth_alert_within_an_hour_makes_a_surge(
    before: int, grouping: Grouping, summary: str | None
) -> None:
    """People get its first summary five minutes later."""
    stored = Surge(GROUP, iso(START), before, iso(START))
    now = START + timedelta(minutes=30)
    after, decided = counted(stored, GROUP, now=now, surge_after=5)
    assert (decided, after.next_summary_at) == (grouping, summary)
    assert (after.since, after.count, after.last_at) == (iso(START), before + 1, iso(now))


def test_a_surge_counts_on_after_its_first_hour() -> None:
    """Until a summary says that it has ended."""
    now = START + timedelta(hours=5)
    after, grouping = counted(GOES_ON, GROUP, now=now, surge_after=5)
    assert grouping is Grouping.GROUPED
    assert after == replace(GOES_ON, count=7, last_at=iso(now))
