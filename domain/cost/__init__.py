"""Costs: supplier invoices and other transactions of the ERP become project costs in Severa (R-CST-1..5)."""
