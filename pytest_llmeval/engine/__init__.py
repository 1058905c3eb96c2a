"""Asks ahead of the running test, scores, records: one thread with a loop of its own, behind a blocking door."""
