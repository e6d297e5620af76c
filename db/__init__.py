"""PostgreSQL: what must not be lost. Named SQL blocks, one repository module per table group, no business rules."""
