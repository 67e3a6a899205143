"""The providers' APIs: a message as a request, an answer as an outcome, by one table each."""
