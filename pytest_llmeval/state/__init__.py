"""What outlives a process: answers, the ledger of runs, claims, limits."""
