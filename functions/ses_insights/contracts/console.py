"""Where a person finds the rows of a message: a link into the DynamoDB console, two commands."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from ses_insights.contracts.names import Index

# The console has a domain of its own in each partition. Those of the isolated Regions are not
# public: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
_DOMAINS: Final = (
    ("cn-", "console.amazonaws.cn"),
    ("us-gov-", "console.amazonaws-us-gov.com"),
    ("eusc-", "console.amazonaws-eusc.eu"),
    (("us-iso", "eu-iso"), None),
    ("", "console.aws.amazon.com"),
)


@dataclass(frozen=True, slots=True)
class TableAddress:
    """Which table of which account and Region holds the rows."""

    account: str
    region: str
    table_name: str

    @classmethod
    def beside(cls, topic_arn: str, region: str, table_name: str) -> TableAddress:
        """Return the address of a table in the account of a topic."""
        return cls(topic_arn.split(":")[4], region, table_name)

    def console_link(self, message_id: str) -> str | None:
        """Link to the table's item explorer, set to the message; None where no domain is known.

        ``operation`` and ``pk`` are what the console itself writes into its address; AWS does not
        document them. A console that does not know them shows the table.
        """
        return self._explorer(f"pk={quote(message_id, safe='')}")

    def alerts_link(self, alert_type: str) -> str | None:
        """Link to the item explorer, set to the alerts of a type; None where none is known."""
        return self._explorer(f"index={Index.BY_ALERT}&pk={quote(alert_type, safe='')}")

    def _explorer(self, query: str) -> str | None:
        domain = next(domain for start, domain in _DOMAINS if self.region.startswith(start))
        if domain is None:
            return None
        return (
            f"https://{self.region}.{domain}/dynamodbv2/home?region={self.region}#item-explorer"
            f"?operation=QUERY&{query}&table={self.table_name}"
        )

    def ways_to(self, message_id: str) -> Iterator[str]:
        """Say in lines how to see everything that is known of a message."""
        yield "The whole story:"
        link = self.console_link(message_id)
        if link:
            yield link
            yield f"If the console asks for MessageId: {message_id}"
        else:
            yield (
                f"DynamoDB console, Region {self.region}, table {self.table_name}: query MessageId "
                f"{message_id}"
            )
        values = json.dumps({":id": {"S": message_id}})
        yield "Or at a command line, with `insights` or the AWS CLI:"
        yield f"insights show {shlex.quote(message_id)}"
        yield (
            f"aws dynamodb query --region {self.region} --table-name {self.table_name} "
            f"--key-condition-expression 'MessageId = :id' "
            f"--expression-attribute-values {shlex.quote(values)}"
        )
