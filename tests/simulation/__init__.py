"""Plays on a stage of one process: the real bridge, real SQL and both simulators, scheduled by a seed (docs/faults.md)."""
