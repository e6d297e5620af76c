"""The vendor's error answers: one exception with the status and the words of `ExceptionModel`."""

from __future__ import annotations

from typing import Any


class SeveraError(Exception):
    """A refused call. `type` is one of the vendor's error types, `location` where the mistake stands."""

    def __init__(
        self, status: int, type_: str, message: str, *, location: str | None = None, name: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.type = type_
        self.message = message
        self.location = location
        self.name = name

    def body(self) -> dict[str, Any]:
        """Give the body in the shape of the vendor's `ExceptionModel`."""
        location = None
        if self.location is not None:
            location = {"type": self.location, "name": self.name, "identifier": None}
        return {
            "error": {
                "httpStatusCode": self.status,
                "type": self.type,
                "details": [{"message": self.message, "url": None, "location": location}],
                "stack": None,
            }
        }


def bad_field(name: str, message: str) -> SeveraError:
    """Give a 400 for one field of the body."""
    return SeveraError(400, "InvalidParameter", message, location="RequestBody", name=name)


def bad_query(name: str, message: str) -> SeveraError:
    """Give a 400 for one query parameter."""
    return SeveraError(400, "InvalidParameter", message, location="UriParameter", name=name)


def bad_request(message: str) -> SeveraError:
    """Give a 400 for a body that is no request at all."""
    return SeveraError(400, "InvalidRequest", message, location="RequestBody")


def not_allowed(message: str) -> SeveraError:
    """Give a 400 for a well-formed request that the state of things forbids."""
    return SeveraError(400, "InvalidOperation", message)


def not_found(what: str) -> SeveraError:
    """Give a 404."""
    return SeveraError(404, "InvalidParameter", f"{what} was not found.", location="PathParameter")
