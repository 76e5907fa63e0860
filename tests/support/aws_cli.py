"""The part of the AWS CLI that the pages use, so that their commands run where it is not installed.

It reads a command line as ``aws`` does: options are the API's parameters in kebab case, what is no
text is JSON, ``--query`` is JMESPath. Names are checked against botocore's own model of the API.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

import boto3
import jmespath  # type: ignore[import-untyped] # it has no types
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import Shape

# Where the AWS CLI differs from the API, because --endpoint would read as its --endpoint-url.
_RENAMED: Final = {"notification-endpoint": "endpoint"}


def run(arguments: Sequence[str]) -> str:
    """Make the call that a command line stands for and return what ``aws`` prints."""
    service, command, *rest = arguments
    options = dict(_options(rest))
    client = boto3.client(service, region_name=options.pop("region", None))  # type: ignore[call-overload] # any service
    query, output = options.pop("query", None), options.pop("output", "json")
    operation = command.replace("-", "_")
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
    members = {
        xform_name(name, "-"): (name, shape) for name, shape in model.input_shape.members.items()
    }
    parameters: dict[str, Any] = {}
    for option, text in options.items():
        if option not in members and (switched_off := option.removeprefix("no-")) in members:
            parameters[members[switched_off][0]] = False
            continue
        name, shape = members[_RENAMED.get(option, option)]
        parameters[name] = _value(shape, text)
    answer = getattr(client, operation)(**parameters)
    answer.pop("ResponseMetadata")
    found = jmespath.search(query, answer) if query else answer
    return _text(found) if output == "text" else json.dumps(found, default=str, indent=4)


def _options(words: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Pair every option with its value; a switch has none."""
    for word, following in zip(words, [*words[1:], "--"], strict=True):
        if word.startswith("--"):
            yield word.removeprefix("--"), None if following.startswith("--") else following


def _value(shape: Shape, text: str | None) -> Any:
    if text is None:
        return True
    return text if shape.type_name == "string" else json.loads(text)


def _text(found: Any) -> str:
    return "\t".join(map(str, found)) if isinstance(found, list) else str(found)


if __name__ == "__main__":
    try:
        print(run(sys.argv[1:]))  # noqa: T201 - what a command is for
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"An error occurred: {error}")
