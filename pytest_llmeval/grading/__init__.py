"""From rows to figures, grades and verdicts: pure functions of what the ledger holds."""
