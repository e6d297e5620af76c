"""Processes and wiring: settings, composition root, poller and relay loops, embedded mode, command line."""
