"""Dramatiq: from a change event to a settled row. One module per domain; nothing here knows SQL or HTTP."""
