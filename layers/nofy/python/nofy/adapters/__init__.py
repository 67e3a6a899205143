"""The outside, one package per technology; each translates its driver's errors once."""
