"""Products, work types and travel expense types in Severa; one inventory in Visma.net ERP (R-PRD-1..4)."""
