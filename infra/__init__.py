"""The AWS side of SES Insights: what `cdk deploy` creates."""
