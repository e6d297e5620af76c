"""Two servers written from the vendors' documents alone, strict and contrary: the bridge against somebody else's reading."""
