"""The CDK app: one set of stacks, three stages of it."""
