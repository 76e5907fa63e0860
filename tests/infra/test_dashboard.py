"""The dashboard: two parts, in plain words, with a unit on each axis."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk.assertions import Template

from tests.support.shown import DASHBOARD, dashboard, graphs, queries_of, text_of

OUTCOME = [
    "Looks against the limit of SES",
    "What became of messages",
    "Alerts by type and severity",
    "Alerts published",
    "Coverage: ids in against messages that SES shows",
    "Bounce rate of the account, as SES sees it",
    "Complaint rate of the account, as SES sees it",
]
MACHINERY = [
    "Time to drain the queue",
    "Age of the oldest message",
    "Throttled by SES",
    "System failures by kind",
    "Lag of follow-ups",
    "Listed by SES",
    "Lag of feedback",
    "Due looks by lane",
    "Looks given up for want of slots",
    "Dead letters",
    "Messages that SNS could not deliver",
    "Latency of SES",
    "Errors of the functions",
]


@pytest.fixture(scope="session")
def body(template: Template) -> dict[str, Any]:
    """The dashboard of the stack with every key at its default."""
    return dashboard(template)


def graph(body: dict[str, Any], title: str) -> dict[str, Any]:
    """The graph of that title."""
    (only,) = (each for each in graphs(body) if each["title"] == title)
    return only


def test_it_has_two_parts(body: dict[str, Any]) -> None:
    """Outcome first, machinery below; each graph stands in its part."""
    headings = {
        each["properties"]["markdown"].split("\n")[0]: each["y"]
        for each in body["widgets"]
        if each["properties"].get("markdown", "").startswith("# ")
    }
    assert list(headings) == ["# Outcome", "# Machinery"]
    parts: dict[bool, list[str]] = {True: [], False: []}
    for each in body["widgets"]:
        if each["type"] in {"metric", "log"}:
            parts[each["y"] < headings["# Machinery"]].append(each["properties"]["title"])
    assert sorted(parts[True]) == sorted(OUTCOME)
    assert sorted(parts[False]) == sorted(MACHINERY)


def test_each_graph_has_a_unit_and_a_sentence_on_what_is_good(body: dict[str, Any]) -> None:
    """The sentence stands right above its graph."""
    texts = {
        (each["x"], each["y"] + each["height"]): each["properties"]["markdown"]
        for each in body["widgets"]
        if each["type"] == "text"
    }
    for each in body["widgets"]:
        if "metrics" in each["properties"]:
            axes = each["properties"]["yAxis"]
            assert axes["left"]["label"]
            right = [m for m in each["properties"]["metrics"] if m[-1].get("yAxis") == "right"]
            assert bool(right) is ("label" in axes.get("right", {}))
        if each["type"] in {"metric", "log"}:
            assert texts[each["x"], each["y"]].startswith("Good is ")


def test_a_graph_of_log_lines_reads_the_functions_own_log(body: dict[str, Any]) -> None:
    """Both logs where either function publishes; a chart over time has the time in its query."""
    sources = {
        each["title"]: re.findall(r"SOURCE '\$\{(\w+)Logs", each["query"])
        for each in queries_of(body)
    }
    assert sources == {
        "What became of messages": ["Lookup"],
        "Listed by SES": ["FollowUps"],
        "Alerts by type and severity": ["Lookup", "FollowUps"],
        "Due looks by lane": ["FollowUps"],
        "Latency of SES": ["Lookup"],
    }
    for each in queries_of(body):
        assert (each["view"] == "timeSeries") is ("bin(" in each["query"])


def limits(graph: dict[str, Any]) -> list[float]:
    """Where a graph has a line."""
    return [each["value"] for each in graph["annotations"]["horizontal"]]


def test_a_line_shows_the_limit_on_looks(body: dict[str, Any], chosen: Template) -> None:
    """300 in five minutes at one a second; 120 at one in two and a half.

    The period of a graph holds however long the time that is shown.
    """
    for shown, budget in ((body, 300), (dashboard(chosen), 120)):
        looks = graph(shown, "Looks against the limit of SES")
        assert limits(looks) == [budget]
        assert looks["metrics"][0][:2] == ["SesInsights", "Looks"]
        assert looks["metrics"][0][-1].get("period", 300) == 300
        assert shown["periodOverride"] == "inherit"


def test_the_backlog_is_the_time_to_drain_it(chosen: Template) -> None:
    """Visible messages times the period, in minutes."""
    drain = graph(dashboard(chosen), "Time to drain the queue")
    expression, visible = drain["metrics"]
    assert expression[0]["expression"] == "visible * 2.5 / 60"
    assert visible[:2] == ["AWS/SQS", "ApproximateNumberOfMessagesVisible"]
    assert visible[-1]["id"] == "visible"


def test_the_lines_are_those_of_the_alarms(body: dict[str, Any], chosen: Template) -> None:
    """A graph near a line shows which alarm is next; without an alarm there is no line."""
    assert limits(graph(body, "Age of the oldest message")) == [240]
    assert limits(graph(body, "Throttled by SES")) == [10]
    assert limits(graph(body, "Lag of follow-ups")) == [1800]
    bounces, complaints = OUTCOME[-2:]
    assert limits(graph(body, bounces)) == [2.5, 5]
    assert limits(graph(body, complaints)) == [0.05, 0.1]
    assert limits(graph(dashboard(chosen), bounces)) == [4, 5]
    assert limits(graph(dashboard(chosen), complaints)) == [0.1]


def test_it_shows_the_state_of_every_alarm(template: Template, body: dict[str, Any]) -> None:
    """At a glance, above the machinery."""
    (states,) = (each["properties"] for each in body["widgets"] if each["type"] == "alarm")
    alarms = template.find_resources("AWS::CloudWatch::Alarm")
    assert sorted(states["alarms"]) == sorted(f"${{{alarm}}}" for alarm in alarms)


def test_its_name_is_an_output_and_names_the_region(template: Template) -> None:
    """An account has one list of dashboards for all Regions."""
    ((logical_id, resource),) = template.find_resources(DASHBOARD).items()
    assert text_of(resource["Properties"]["DashboardName"]) == "SesInsights-${AWS::Region}"
    output = template.find_outputs("DashboardName")["DashboardName"]
    assert output["Value"] == {"Ref": logical_id}
