"""What talks to AWS: boto3, one small class each."""
