"""The edges: SES, DynamoDB, SNS and SQS, each behind one small class."""
