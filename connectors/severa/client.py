"""Visma Severa's REST API behind the port ``SeveraApi``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import httpx

from connectors.endpoint import Conduct, Endpoint
from connectors.http import Transport
from connectors.severa.auth import RENEW_BEFORE, TOKEN_PATH, ClientCredentials, SeveraAccess, missing
from connectors.severa.errors import DIALECT, SYSTEM
from connectors.severa.reading import ACCEPT_JSON, Reader
from connectors.severa.writing import Writer
from connectors.signing_in import SignIn
from domain.errors import SignInFailed
from domain.model import Filter, Json, Page


class SeveraClient:
    """One Severa organisation. Safe for threads; ``close`` when done.

    Registers are named by the path (``customers``, ``invoices/invoicerows``, ``localization/countries``): see
    ``registers.REGISTERS``. An unknown register, filter or verb is a ValueError: the server would ignore it in silence.
    """

    def __init__(self, access: SeveraAccess, conduct: Conduct) -> None:
        """No call is made before the first question."""
        self._base = access.base_url.rstrip("/").removesuffix("/v1")
        self._client_id = access.client_id
        stop = conduct.stop
        self._credentials = ClientCredentials(access, self._post_token, pause=stop.wait)
        self._transport = Transport(
            Endpoint(self._base, DIALECT, {"Client_Id": access.client_id}),
            conduct,
            signing=SignIn(conduct.tokens, self._credentials.sign_in, renew_before=RENEW_BEFORE, stop=stop),
        )
        self._reader = Reader(self._transport, stop)
        self._writer = Writer(self._transport, self._reader)

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()

    def check(self) -> set[str]:
        """Sign in afresh and give the granted scopes (R-SET-2).

        Raises SignInFailed: reason missing_scope with field ``missing`` (names, sorted), wrong_secret, no_license,
        refused; and Unavailable.
        """
        try:
            granted = self._credentials.granted(self._transport.renew())
        except SignInFailed as refusal:
            if refusal.reason != "wrong_secret":
                raise
            # A server that refuses a sign-in as a whole says the same for a wrong secret and for one scope too many (docs/vendors/severa.md S4).
            granted = self._credentials.granted(None)
        lacking = missing(granted)
        if lacking:
            raise SignInFailed(
                f"missing scopes: {', '.join(lacking)}",
                system=SYSTEM,
                reason="missing_scope",
                missing=lacking,
            )
        return granted

    def get(self, register: str, guid: str) -> Json:
        """One record by guid; registers of one object (organizationsettings) take ''; a country is also found by its
        letters or its name.

        Raises NotFound for the vendor's own 404 (or a search that found none), NotKnown for any answer that is not the
        record asked for.
        """
        return self._reader.get(register, guid)

    def list(self, register: str, *, parent: str | None = None, **filters: Filter) -> Iterator[Json]:
        """All rows of a list, each once, each checked against the filters.

        ``parent`` is the guid in ``invoices/{guid}/invoicerows``. Raises Refused ``filter ignored`` when a row comes back
        that was not asked for; ShortList after the last row of a list that did not come whole (never conclude "none" from
        it), NotKnown for what is no list, NotFound when the parent is gone, RegisterMissing without a parent; ValueError
        for an unknown register or filter name.
        """
        return self._reader.list(register, parent, filters)

    def pages(
        self, register: str, *, changed_since: datetime | None = None, position: str | None = None
    ) -> Iterator[Page]:
        """A register page by page; whole when ``changed_since`` is None or the register has no such filter.

        ``position``: of a page that an earlier reading with the same ``changed_since`` gave; goes on behind it. A server that
        no longer knows it refuses.

        A row changed between two pages comes twice, the newer one later. Rows older than asked for are handed on: a
        customer comes back for its changed address with its own times unchanged. Raises as ``list`` does.
        """
        return self._reader.pages(register, changed_since, position)

    def create(
        self, register: str, body: Json, *, parent: str | None = None, not_after: float | None = None
    ) -> Json:
        """POST; the created record as the vendor stored it.

        Sent once, on a connection of its own. Raises OutcomeUnknown when no answer came, and also when the vendor said
        yes without saying what it made: then it has to be looked up as well.
        """
        return self._writer.create(register, body, parent, not_after)

    def patch(
        self,
        register: str,
        guid: str,
        changes: Mapping[str, object],
        *,
        not_after: float | None = None,
        until: float | None = None,
    ) -> Json:
        """PATCH of replace operations in the order given; the record as stored afterwards.

        Keys are paths (``/status/guid``), values native JSON, None clears. Raises NotKnown when neither the answer nor a
        single read shows the record (the write may have happened); ValueError for no changes at all. Under a permission (``not_after``) one form
        is tried: NotSent when another one may be meant, OutcomeUnknown for whatever is not known.
        """
        return self._writer.patch(register, guid, changes, not_after, until)

    def download(self, register: str, guid: str) -> bytes:
        """The bytes of ``files`` (file guid, not the guid of the invoice file) or of ``invoices/pdf`` (invoice guid).

        Raises NotKnown for an empty answer or a page instead of the file.
        """
        return self._reader.download(register, guid)

    def upload(
        self,
        project_guid: str,
        name: str,
        description: str,
        content: bytes,
        *,
        not_after: float | None = None,
    ) -> Json:
        """Add one file to a project (multipart/related); its metadata, {} if the vendor gave none.

        Not repeatable: OutcomeUnknown when no answer came, or none that was understood.
        """
        return self._writer.upload(project_guid, name, description, content, not_after)

    def _post_token(self, body: dict[str, str]) -> httpx.Response:
        return self._transport.outside(
            "POST", self._base + TOKEN_PATH, json=body, headers={"Client_Id": self._client_id, **ACCEPT_JSON}
        )
