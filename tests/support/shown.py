"""What the synthesised stack shows and watches: its dashboard, and the metrics of both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk.assertions import Template

ALARM = "AWS::CloudWatch::Alarm"
DASHBOARD = "AWS::CloudWatch::Dashboard"


@dataclass(frozen=True, slots=True)
class Watched:
    """A metric as CloudWatch knows it."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


def dashboard(template: Template) -> dict[str, Any]:
    """The body of the stack's only dashboard, with `${Resource}` where a resource is named."""
    (resource,) = template.find_resources(DASHBOARD).values()
    body: dict[str, Any] = json.loads(text_of(resource["Properties"]["DashboardBody"]))
    return body


def text_of(value: Any) -> str:
    """The text that CloudFormation would put there, with placeholders."""
    match value:
        case str():
            return value
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(text_of(part) for part in parts)
        case {"Ref": name} | {"Fn::GetAtt": [name, *_]}:
            return f"${{{name}}}"
    raise AssertionError(value)


def graphs(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The properties of its graphs."""
    return [each["properties"] for each in body["widgets"] if "metrics" in each["properties"]]


def queries_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The properties of its graphs of log lines."""
    return [each["properties"] for each in body["widgets"] if each["type"] == "log"]


def metrics_of_graph(graph: Mapping[str, Any]) -> Iterator[Watched]:
    """The metrics that a graph reads; an expression is none itself."""
    for namespace, *rest in graph["metrics"]:
        if isinstance(namespace, str):
            name, *names_and_values = [part for part in rest if isinstance(part, str)]
            pairs = zip(names_and_values[::2], names_and_values[1::2], strict=True)
            yield Watched(namespace, name, frozenset(pairs))


def metrics_of_alarms(template: Template) -> Iterator[Watched]:
    """The metrics that the alarms watch."""
    for alarm in template.find_resources(ALARM).values():
        properties = alarm["Properties"]
        dimensions = [
            (each["Name"], text_of(each["Value"])) for each in properties.get("Dimensions", [])
        ]
        yield Watched(properties["Namespace"], properties["MetricName"], frozenset(dimensions))


def all_metrics(template: Template) -> set[Watched]:
    """Every metric that the stack shows or watches."""
    shown = {each for graph in graphs(dashboard(template)) for each in metrics_of_graph(graph)}
    return shown | set(metrics_of_alarms(template))
