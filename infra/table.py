"""Where every insight, destination and alert of a message is kept."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

DUE_LOOKS = "DueLooks"


class InsightsTable(Construct):
    """The table; attributes bear the SES API's own names, so the console reads without a key."""

    def __init__(
        self, scope: Construct, construct_id: str, *, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=_text("MessageId"),
            sort_key=_text("Record"),
            billing=dynamodb.Billing.on_demand(),
            time_to_live_attribute="ExpiresAt",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            # A protected table could not be deleted with the stack.
            deletion_protection=removal_policy == RemovalPolicy.RETAIN,
            removal_policy=removal_policy,
            global_secondary_indexes=[
                # Only destination rows have LastEventAt, so only they are in the first two, whole:
                # who reads them in the console need not open the table beside them.
                _index("ByDestination", "Destination", "LastEventAt"),
                _index("ByStatus", "Status", "LastEventAt"),
                # Only alerts have an AlertType: what was alerted, by day.
                _index("ByAlert", "AlertType", "DetectedAt"),
                # Only messages that still await a look have these two, and alerts that await
                # their publication.
                _index(
                    DUE_LOOKS,
                    "DueLane",
                    "NextLookAt",
                    projection=dynamodb.ProjectionType.KEYS_ONLY,
                ),
            ],
        )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _index(
    name: str,
    partition_key: str,
    sort_key: str,
    *,
    projection: dynamodb.ProjectionType = dynamodb.ProjectionType.ALL,
) -> dynamodb.GlobalSecondaryIndexPropsV2:
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=name,
        partition_key=_text(partition_key),
        sort_key=_text(sort_key),
        projection_type=projection,
    )
