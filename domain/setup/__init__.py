"""A tenant's file, its settings, the checks before it goes live, and the roles of its invoice statuses."""
