"""Decisions about when a request may leave: pure functions over times and counts."""
