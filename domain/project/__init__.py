"""Sales cases and projects: from Severa to Visma.net ERP only (R-PRJ-1..6)."""
