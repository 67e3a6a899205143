"""Read models for the API and the dashboard."""
