"""Measurements. Times are taken here and nowhere else: tests assert counts."""
