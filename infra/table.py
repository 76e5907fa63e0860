"""The table of messages, destinations and alerts."""

from __future__ import annotations

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.config import AWS_KEY, CUSTOMER_KEY
from ses_insights.contracts.names import INDEX_KEYS, TABLE_KEYS, Attribute, Index


class InsightsTable(Construct):
    """The table; attributes have the SES API's own names, so its rows explain themselves.

    One that exists is used as it is.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        removal_policy: RemovalPolicy,
        key: str,
        existing: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.key = self._key(key, removal_policy)
        self.table = (
            dynamodb.TableV2.from_table_name(self, "Table", existing)
            if existing
            else self._made(removal_policy)
        )

    def _made(self, removal_policy: RemovalPolicy) -> dynamodb.ITableV2:
        made = dynamodb.TableV2(
            self,
            "Table",
            partition_key=_text(TABLE_KEYS[0]),
            sort_key=_text(TABLE_KEYS[1]),
            billing=dynamodb.Billing.on_demand(),
            time_to_live_attribute=Attribute.EXPIRES_AT,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            # A protected table could not be deleted with the stack.
            deletion_protection=removal_policy == RemovalPolicy.RETAIN,
            removal_policy=removal_policy,
            global_secondary_indexes=[
                # Only destination rows have LastEventAt, so only they are in the first two, whole:
                # a person who reads them in the console need not open the table beside them.
                _index(Index.BY_DESTINATION),
                _index(Index.BY_STATUS),
                # Only alerts have an AlertType: what was alerted, by day.
                _index(Index.BY_ALERT),
                # Only messages that still await a look have these two, and alerts that await
                # their publication.
                _index(Index.DUE_LOOKS, projection=dynamodb.ProjectionType.KEYS_ONLY),
            ],
        )
        if self.key:
            self._encrypt(made, self.key)
        return made

    def _encrypt(self, made: dynamodb.TableV2, key: kms.IKey) -> None:
        """Choose a customer's key; the CDK itself can only where the stack names its Region."""
        table = cast("dynamodb.CfnGlobalTable", made.node.default_child)
        table.sse_specification = dynamodb.CfnGlobalTable.SSESpecificationProperty(
            sse_enabled=True, sse_type="KMS"
        )
        table.add_property_override("Replicas.0.SSESpecification", {"KMSMasterKeyId": key.key_arn})

    def _key(self, chosen: str, removal_policy: RemovalPolicy) -> kms.IKey | None:
        """Return the customer's key: one of the stack or one that exists; None for AWS's own."""
        if chosen == AWS_KEY:
            return None
        if chosen != CUSTOMER_KEY:
            return kms.Key.from_key_arn(self, "Key", chosen)
        return kms.Key(
            self,
            "Key",
            description="Encrypts the table of SES Insights.",
            enable_key_rotation=True,
            # Without its key a table that was kept could not be read.
            removal_policy=removal_policy,
        )


def _text(name: Attribute) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _index(
    name: Index, *, projection: dynamodb.ProjectionType = dynamodb.ProjectionType.ALL
) -> dynamodb.GlobalSecondaryIndexPropsV2:
    partition_key, sort_key = INDEX_KEYS[name]
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=name,
        partition_key=_text(partition_key),
        sort_key=_text(sort_key),
        projection_type=projection,
    )
