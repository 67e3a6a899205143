"""What every handler shares: settings, observability, events in, answers out."""
