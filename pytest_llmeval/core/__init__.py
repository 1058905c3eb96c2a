"""Frozen data and protocols that every other layer speaks in; no input or output."""
