"""Golden fixtures: what 0.1.0 made of bodies in the vendors' shapes (tests/data/golden/README.md)."""
