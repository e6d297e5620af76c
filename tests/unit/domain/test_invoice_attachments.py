"""Files and the PDF of an invoice, once, on its document (R-INV-8)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import OutcomeUnknown, Refused, TryLater, Unavailable
from domain.invoice.files import DUE, STATE
from domain.invoice.steps import settle
from domain.setup.settings import TenantSettings
from tests.fakes import FakeDelivery
from tests.fakes_ledger import GUID, Firm
from tests.unit.domain.invoice_surroundings import asked, ended, firm_with, said, stopped


def with_files(firm: Firm, *names: str) -> None:
    files = [{"guid": f"i{n}", "fileGuid": f"f{n}", "name": name} for n, name in enumerate(names, start=1)]
    secret = {"guid": "ix", "fileGuid": "fx", "name": "kalkyl.xlsx", "isInternal": True}
    firm.severa.children["invoices/files", GUID] = [*files, secret]
    for file in files:
        firm.severa.files["files", str(file["fileGuid"])] = f"{file['name']} {file['guid']}".encode()
    firm.severa.files["invoices/pdf", GUID] = b"%PDF 101"


def booked(firm: Firm) -> FakeDelivery:
    """The invoice is booked; the delivery that follows for its files."""
    firm.invoice()
    delivery = firm.transfer()
    settled = settle(delivery)
    firm.finish(delivery, settled)
    assert [one.domain for one in settled.effects.announce] == ["invoice"]
    return firm.transfer()


@pytest.mark.req("R-INV-8")
def test_files_that_are_not_internal_follow_once_the_number_is_written_under_their_names() -> None:
    firm = firm_with(attachments="files")
    with_files(firm, "tidrapport.pdf", "avtal.docx")
    delivery = booked(firm)
    assert firm.in_severa_now()["number"] == 101
    assert asked(firm, "attach") == []
    settled = settle(delivery)
    firm.finish(delivery, settled)
    assert firm.erp.attachments["customerinvoice", "101"] == {
        "tidrapport.pdf": b"tidrapport.pdf i1",
        "avtal.docx": b"avtal.docx i2",
    }
    assert said(settled) == ["invoice.attached"]
    calls = len(firm.calls)
    settle(firm.transfer())
    assert len(firm.calls) == calls


@pytest.mark.req("R-INV-8")
def test_the_pdf_goes_with_the_number_in_its_name_if_the_tenant_wants_it() -> None:
    firm = firm_with(attachments="files-and-pdf")
    with_files(firm)
    settle(booked(firm))
    assert firm.erp.attachments["customerinvoice", "101"] == {"Faktura 101.pdf": b"%PDF 101"}


@pytest.mark.req("R-INV-8")
def test_without_the_setting_nothing_is_attached_and_nothing_is_asked() -> None:
    firm = Firm()
    with_files(firm, "tidrapport.pdf")
    firm.invoice()
    settled = settle(firm.transfer())
    assert settled.effects.announce == ()
    assert asked(firm, "attach", "download") == []


@pytest.mark.req("R-INV-8")
def test_a_file_that_fails_is_a_problem_and_is_tried_again_alone_while_the_number_stays() -> None:
    firm = firm_with(attachments="files")
    with_files(firm, "stor.zip", "avtal.docx")
    delivery = booked(firm)
    firm.faults.arm(
        "attach", "customerinvoice", Refused("The file is too large", system="visma_net", status=400)
    )
    stop = stopped(firm, delivery)
    ended(firm, delivery, stop)
    assert stop.code == "invoice.attachment_failed"
    assert stop.values["files"] == "stor.zip: The file is too large"
    assert firm.in_severa_now()["status"]["guid"] == "s-transferred"
    assert list(firm.erp.attachments["customerinvoice", "101"]) == ["avtal.docx"]
    firm.books.problems.add(("severa", GUID))
    again = firm.transfer()
    firm.finish(again, settle(again))
    assert asked(firm, "attach") == ["attach customerinvoice"] * 3
    assert [one["revision"] for one in firm.document()["attachments"]] == [1, 1]
    link = firm.books.link("invoice", severa_id=GUID)
    assert link is not None
    assert link.state[STATE] != DUE


@pytest.mark.req("R-INV-8")
@pytest.mark.parametrize("arrived", [True, False])
def test_a_file_whose_answer_was_lost_is_looked_for_and_never_sent_twice(arrived: bool) -> None:  # noqa: FBT001
    firm = firm_with(attachments="files")
    with_files(firm, "tidrapport.pdf")
    delivery = booked(firm)
    firm.faults.arm("attach", "customerinvoice", OutcomeUnknown(), after=arrived)
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    if not arrived:
        with pytest.raises(TryLater):
            settle(delivery.again())
        firm.clock.forward(600)
    settle(delivery.again())
    assert [one["revision"] for one in firm.document()["attachments"]] == [1]


@pytest.mark.req("R-INV-8")
def test_two_files_of_one_name_do_not_become_revisions_of_one() -> None:
    firm = firm_with(attachments="files")
    with_files(firm, "bilaga.pdf", "Bilaga.pdf")
    settle(booked(firm))
    assert sorted(firm.erp.attachments["customerinvoice", "101"]) == ["Bilaga (2).pdf", "bilaga.pdf"]


@pytest.mark.req("R-INV-8")
def test_a_name_that_the_erp_spells_otherwise_is_not_sent_a_second_time() -> None:
    firm = firm_with(attachments="files")
    with_files(firm, 'Offert "slutlig".pdf', "Tid/rapport.pdf", "Tid/rapport.pdf")
    delivery = booked(firm)
    firm.faults.arm("attach", "customerinvoice", OutcomeUnknown(), after=True)
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    firm.document()["attachments"][0]["name"] = "Offert %22slutlig%22.pdf"
    settle(delivery.again())
    assert [one["name"] for one in firm.document()["attachments"]] == [
        "Offert %22slutlig%22.pdf",
        "Tid-rapport.pdf",
        "Tid-rapport (2).pdf",
    ]


@pytest.mark.req("R-INV-8")
def test_attachments_that_were_switched_off_meanwhile_are_not_owed_any_more() -> None:
    firm = firm_with(attachments="files")
    with_files(firm, "tidrapport.pdf")
    delivery = booked(firm)
    firm.tenant = replace(firm.tenant, settings=TenantSettings.model_validate({"attachments": "off"}))
    firm.finish(delivery, settle(delivery))
    assert asked(firm, "attach") == []
    link = firm.books.link("invoice", severa_id=GUID)
    assert link is not None
    assert link.state[STATE] != DUE


@pytest.mark.req("R-INV-8", "R-INV-12")
def test_a_booked_invoice_whose_number_is_restored_keeps_what_the_link_knows_of_files_and_payment() -> None:
    firm = firm_with(attachments="files")
    with_files(firm, "tidrapport.pdf")
    delivery = booked(firm)
    firm.finish(delivery, settle(delivery))
    link = firm.books.link("invoice", severa_id=GUID)
    assert link is not None
    firm.books.replace_link(link, state={**link.state, "payment_waits": True})
    firm.in_severa_now().update(number=None, status={"guid": "s-transfer", "name": ""})
    firm.poll()
    settled = settle(firm.transfer())
    assert said(settled) == ["invoice.restored"]
    assert settled.effects.announce == ()
    assert settled.effects.link is not None
    assert (settled.effects.link.state or {})["payment_waits"] is True
    assert asked(firm, "attach") == ["attach customerinvoice"]


def test_a_vendor_that_does_not_answer_holds_up_the_files_only() -> None:
    firm = firm_with(attachments="files")
    with_files(firm, "tidrapport.pdf")
    delivery = booked(firm)
    firm.faults.arm("download", "files", Unavailable())
    with pytest.raises(TryLater):
        settle(delivery)
    settle(delivery.again())
    assert [one["name"] for one in firm.document()["attachments"]] == ["tidrapport.pdf"]


@pytest.mark.req("R-INV-8")
def test_files_whose_names_a_vendor_would_change_are_sent_once_and_keep_their_folders() -> None:
    firm = firm_with(attachments="files")
    with_files(firm, 'Offert "slutlig".pdf', "Tid/rapport.pdf", "Tid/rapport.pdf")
    delivery = booked(firm)
    firm.faults.arm("attach", "customerinvoice", OutcomeUnknown(), after=True)
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    settle(delivery.again())
    assert list(firm.erp.attachments["customerinvoice", "101"]) == [
        "Offert 'slutlig'.pdf",
        "Tid-rapport.pdf",
        "Tid-rapport (2).pdf",
    ]
    assert asked(firm, "attach") == ["attach customerinvoice"] * 3
