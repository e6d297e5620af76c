"""Visma.net ERP REST behind the domain's port ``ErpApi``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import httpx

from connectors.endpoint import Conduct, Endpoint
from connectors.http import Transport
from connectors.meaning import Question
from connectors.signing_in import SignIn
from connectors.visma_net.auth import RENEW_BEFORE, Connect, VismaNetAccess
from connectors.visma_net.calls import Calls
from connectors.visma_net.errors import DIALECT, SYSTEM
from connectors.visma_net.reading import Reader
from connectors.visma_net.times import SERVER_ZONE
from connectors.visma_net.writing import Writer
from domain.errors import SignInFailed
from domain.model import ActionResult, Filter, Json, Page, Stored


class VismaNetClient:
    """One company of Visma.net ERP. Safe for threads; ``close`` when done. Implements ``domain.ports.ErpApi``.

    Rows and records come with bare values (a ``{"value": x}`` on the way is taken off) and numbers as Decimal; bodies
    to write are sent as given, so the caller wraps. Registers and their filters: ``connectors.visma_net.registers``.
    """

    def __init__(self, access: VismaNetAccess, conduct: Conduct, *, time_zone: str = SERVER_ZONE) -> None:
        """``time_zone`` is the one the server's zone-less times are in. No call is made before the first question."""
        self._tokens = conduct.tokens
        self._connect = Connect(access, self._post_form)
        self._transport = Transport(
            Endpoint(access.base_url, DIALECT, {"Accept": "application/json"}),
            conduct,
            signing=SignIn(
                conduct.tokens, self._connect.sign_in, renew_before=RENEW_BEFORE, stop=conduct.stop
            ),
        )
        calls = Calls(self._transport, conduct.stop, conduct.timeouts)
        self._reader = Reader(calls, time_zone)
        self._writer = Writer(calls, self._reader)

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()

    # ------------------------------------------------------------ sign-in

    def authorize_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """Where the user signs in (interactive kind). ``verifier`` from ``new_verifier()``, kept until the user is back."""
        return self._connect.authorize_url(redirect_uri, state, verifier)

    def exchange_code(self, code: str, verifier: str, redirect_uri: str) -> None:
        """Trade the code the user came back with for tokens and keep both in the token store. Raises SignInFailed."""
        self._tokens.save(self._connect.exchange(code, verifier, redirect_uri))

    def check(self) -> Json:
        """The company behind this connection (``organization``: name, corporateId, vatRegistrationId, baseCurrency,
        branches), read with a fresh sign-in.

        Raises SignInFailed missing_scope with ``missing=[…]`` when the token lacks a needed scope, no_license for a
        tenant id that is no company of the user's, and NotKnown when no organization is shown.
        """
        token = self._transport.renew()
        missing = self._connect.missing(token.scope)
        if missing:
            raise SignInFailed(
                f"missing scopes: {' '.join(missing)}", system=SYSTEM, reason="missing_scope", missing=missing
            )
        for organization in self.list("organization"):
            return organization
        # Every company has one; who shows none is not the company that was signed in to
        # (docs/vendors/visma-net-erp.md E6).
        raise Question(SYSTEM, "GET /v1/organization").not_known("it shows no organization")

    # ------------------------------------------------------------ reading

    def get(self, register: str, key: str) -> Stored:
        """One record by its key; ``register`` may be ``customer/internal`` with the internal id, and a supplier
        document's key ``<type>/<number>``.

        Raises NotFound for the vendor's own 404, NotKnown for any answer that is not the record asked for.
        """
        return self._reader.get(register, key)

    def list(self, register: str, **filters: Filter) -> Iterator[Json]:
        """All rows of a list. A paired filter (times, document dates, balance) is sent with ``>=`` unless its own
        ``…Condition`` is given; moments become server-local, days plain dates.

        Every row is checked against the filters where it shows the filtered member: one foreign row raises Refused
        ("filter ignored"). Raises ShortList after the last row of a list that did not come whole (never conclude "none"
        from it), NotKnown for what is no list, RegisterMissing for its 404; ValueError for a filter the register does
        not have.
        """
        return self._reader.list(register, filters)

    def pages(
        self, register: str, *, changed_since: datetime | None = None, position: str | None = None
    ) -> Iterator[Page]:
        """A register page by page; whole when ``changed_since`` is None or the register has no such filter.

        ``position``: of a page that an earlier reading with the same ``changed_since`` gave; goes on behind it.

        Rows that do not fit the filter are left out and logged; one that changed meanwhile comes again. A register whose
        pages count lines (journals) comes as one page. ``customerdocument`` covers invoices and credit notes. Raises as
        ``list`` does.
        """
        return self._reader.pages(register, changed_since, position)

    def download(self, attachment_id: str) -> bytes:
        """The bytes of an attachment's latest revision. Raises NotFound, and NotKnown for nothing or a page instead."""
        return self._reader.download(attachment_id)

    # ------------------------------------------------------------ writing

    def create(self, register: str, body: Json, *, not_after: float | None = None) -> str:
        """POST (v2 for customerinvoice, customerCreditNote, journaltransaction); the new record's key, '' when the
        answer does not tell it. A task's register is ``projecttask/<internal id of its project>``.

        Raises OutcomeUnknown when no answer came, or one that is neither empty nor names the record.
        """
        return self._writer.create(register, body, not_after)

    def update(
        self,
        register: str,
        key: str,
        body: Json,
        *,
        etag: str | None = None,
        not_after: float | None = None,
        until: float | None = None,
    ) -> str | None:
        """PUT of the members given; the new ETag if the answer had one. Raises Stale when ``etag`` is not the record's
        any more. Not sent where the document does not take If-Match (inventory).

        Raises NotKnown when the answer is none to a PUT and the record, read singly, does not show the change (the write
        may have happened).
        """
        return self._writer.update(register, key, body, etag, not_after, until)

    def delete(self, register: str, key: str, *, not_after: float | None = None) -> bool:
        """DELETE; False for the vendor's 404: then whoever concludes anything from it looks. Raises NotKnown for an answer with
        a body."""
        return self._writer.delete(register, key, not_after)

    def act(
        self,
        register: str,
        key: str,
        action: str,
        body: Json | None = None,
        *,
        etag: str | None = None,
        not_after: float | None = None,
    ) -> ActionResult:
        """POST …/action/<action>; an answer without a body is Done. ``changeCustomerCd``, ``changeInventoryNbr`` and
        ``changeProjectId`` take the internal id as key. ``etag`` goes as If-Match where the document lists it (the
        releases): Stale when the record is another by now. Raises OutcomeUnknown when no answer came, or one that is
        neither empty nor a result."""
        return self._writer.act(register, key, action, body, etag, not_after)

    def attach(
        self, register: str, key: str, name: str, content: bytes, *, not_after: float | None = None
    ) -> None:
        """Header attachment, multipart: raw bytes would be kept broken. The same name again makes a new revision.

        Not repeatable: OutcomeUnknown when no answer came, or one that was not understood.
        """
        self._writer.attach(register, key, name, content, not_after)

    # ------------------------------------------------------------ inside

    def _post_form(self, url: str, form: Mapping[str, str]) -> httpx.Response:
        return self._transport.outside("POST", url, form=form, headers={"Accept": "application/json"})
