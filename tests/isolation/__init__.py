"""Transactions interleaved statement by statement (docs/faults.md)."""
