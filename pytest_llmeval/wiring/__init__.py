"""Pairs protocols with implementations: files to plans, plans to an evaluation, an evaluation to its reports."""
