"""Faults of DynamoDB, SNS and SQS: a proxy between the functions and the emulator."""
