"""AWS by boto3: invoking senders, opening credentials."""
