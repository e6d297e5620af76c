"""Customers: one register kept in both systems (R-CUS-1..8)."""
