"""What CloudFront does on AWS: the dashboard's files, and ``/v1/*`` of the API behind them, from one origin."""
