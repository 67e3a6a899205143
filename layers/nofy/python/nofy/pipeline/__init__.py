"""The verbs, one module each: accept, dispatch, deliver, send, acknowledge, bury, reconcile."""
