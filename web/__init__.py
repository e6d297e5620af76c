"""HTTP for people and machines; for now health only. Never calls a vendor inside a request."""
