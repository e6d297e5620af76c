"""The moves of a product: link by code, create on the side where it is missing, merge what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from domain import mirror, pingpong, sent
from domain.errors import NotFound, Stop
from domain.mapper import patch, text, unwrap, update_body
from domain.merge import (
    Difference,
    Merge,
    as_met,
    settled_base,
    untaken,
)
from domain.merge import without as without_fields
from domain.model import Json, Link, Record, Settled, Stored
from domain.moves import (
    Aftermath,
    create_once,
    explained,
    fields_named,
    join_found,
    key_length,
    latest_side,
    must_stand,
    pairs,
    severa_now,
    shown,
    told,
    wait_until_read,
)
from domain.ports import Delivery
from domain.product import asking, plan, sending
from domain.product.currency import own_currency, say_foreign_price
from domain.product.description import MIRROR, severa_by_code
from domain.product.registers import INVENTORY, INVENTORY_KEY, ITEM_CLASSES, natural_key
from domain.product.sending import CREATE_IN_SEVERA, CREATE_ITEM
from domain.product.table import BY_REGISTER, KINDS, Kind


def settle(delivery: Delivery) -> Settled:
    """Brings one product, work type or travel expense type into step (R-PRD-1..4).

    Raises Stop ``product.*``, TryLater, OutcomeUnknown and what the vendors' calls raise.
    """
    work = _Work(delivery)
    record = delivery.severa_record or delivery.erp_record
    name = record.name if record is not None else (delivery.link.severa_number if delivery.link else "")
    with explained("product", name, work.after):
        if delivery.link is not None:
            work.linked(delivery.link)
        elif delivery.erp_record is not None and delivery.step(CREATE_IN_SEVERA) is not None:
            # Both halves are known already, and one is being made from the other.
            work.from_erp(delivery.erp_record)
        elif delivery.severa_record is not None:
            work.from_severa(delivery.severa_record)
        elif delivery.erp_record is not None:
            work.from_erp(delivery.erp_record)
    return work.after.settled()


@dataclass(slots=True)
class _Work:
    delivery: Delivery
    after: Aftermath = field(default_factory=Aftermath)
    # of the item as it was read last: an update says what it was planned from
    etag: str | None = None

    # ------------------------------------------------------------ first meeting

    def from_severa(self, record: Record) -> None:
        """A Severa record without a link: link it to the item of its code, or create the item."""
        kind = BY_REGISTER[record.register]
        if record.gone:
            return
        self._registers_read()
        if self.delivery.books.link("product", severa_id=record.id) is not None:
            return
        code = plan.needs_code(kind, record)
        plan.only_one(kind, record, severa_by_code(self.delivery.books, code))
        again = self.delivery.step(CREATE_ITEM) is not None
        known = self._item_by_code(code, record, kind)
        if known is None and not again:
            # Asked for just now: somebody may have typed the same item there since the last poll.
            known = self._free_item(self._read_item(code), record, kind)
        # What a poll shows under our code once a create was sent is our own.
        if known is not None and not again:
            self._link(kind, record.body, known, "product.linked")
            return
        plan.fits(code, key_length(self.delivery, INVENTORY_KEY), record.name)
        item_class = self._class_of(kind, record)
        sides = plan.Sides(kind, record.body, {}, currency=own_currency(self.delivery, self.after))
        members = plan.new_item(sides, item_class)
        self.delivery.hold_key(natural_key(record.body))
        result = create_once(
            self.delivery,
            CREATE_ITEM,
            update_body(members),
            lambda permission: sending.item(self.delivery, code, members, sides.values()[0], permission),
            self._look_up_item,
        )
        try:
            made = shown(self.delivery, CREATE_ITEM, lambda: self.delivery.erp.get(INVENTORY, result["code"]))
        except NotFound as error:
            raise self.after.stop("product.not_found_after_create", code=code, name=record.name) from error
        item = self._noted(made).body
        plan.belongs(kind, item, record.name)
        self._link(kind, record.body, item, "product.created_in_erp", made=CREATE_ITEM, again=again)

    def from_erp(self, record: Record) -> None:
        """An item without a link: link it to the Severa record of its code, or create that; others are left alone."""
        kind = plan.kind_of_item(record.body)
        if kind is None or record.gone:
            return
        self._registers_read()
        code = text(record.body, "inventoryNumber")
        again = self.delivery.step(CREATE_IN_SEVERA) is not None
        found = severa_by_code(self.delivery.books, code)
        if not found and not again:
            if text(record.body, "status") == "MarkedForDeletion":
                return
            found = asking.severa(self.delivery, code)
        if found:
            ours = found[0]
            if self._linked_meanwhile(ours, record):
                return
            theirs = BY_REGISTER[ours.register]
            plan.only_one(theirs, ours, found)
            plan.belongs(theirs, record.body, ours.name)
            # What a poll shows under our code once a create was sent is our own.
            if not again:
                self._link_found(theirs, ours, record, code)
                return
        body = plan.new_record(
            kind, record.body, own_currency(self.delivery, self.after, needed=bool(kind.price))
        )
        self.delivery.hold_key(natural_key(record.body))
        result = create_once(
            self.delivery,
            CREATE_IN_SEVERA,
            body,
            lambda permission: sending.record(self.delivery, kind, body, plan.meant(record.body), permission),
            lambda asked: asking.made_in_severa(self.delivery, kind, text(asked, "code")),
        )
        severa = self.delivery.severa
        made = shown(self.delivery, CREATE_IN_SEVERA, lambda: severa.get(kind.register, result["guid"]))
        self._link(kind, made, record.body, "product.created_in_severa", made=CREATE_IN_SEVERA, again=again)

    def _link_found(self, kind: Kind, ours: Record, item: Record, code: str) -> None:
        if self.delivery.books.link("product", severa_id=ours.id) is not None:
            values = {"code": code, "name": item.name, "other": ours.name, "register": kind.register}
            raise Stop("product.code_taken", values)
        self._link(kind, ours.body, item.body, "product.linked")

    def _linked_meanwhile(self, ours: Record, item: Record) -> bool:
        """The poll saw the item that we made before its link was written: nothing is left to do."""
        link = self.delivery.books.link("product", severa_id=ours.id)
        return link is not None and link.erp_id == item.id

    def _registers_read(self) -> None:
        wait_until_read(
            self.delivery.books,
            ("visma_net", INVENTORY),
            *(("severa", kind.register) for kind in KINDS),
        )

    def _item_by_code(self, code: str, record: Record, kind: Kind) -> Json | None:
        """The item that already has this code. Raises Stop when it is of another type or linked elsewhere."""
        found = self.delivery.books.find("visma_net", INVENTORY, number=code)
        return self._free_item(found[0].body, record, kind) if found else None

    def _free_item(self, item: Json | None, record: Record, kind: Kind) -> Json | None:
        """The item if it is of this kind and nobody else's. Raises Stop ``product.code_taken`` or
        ``product.code_of_deleted``."""
        if item is None:
            return None
        plan.belongs(kind, item, record.name)
        other = self.delivery.books.link("product", erp_id=text(item, "inventoryId"))
        if other is None or other.severa_id == record.id:
            return item
        values = {
            "code": text(item, "inventoryNumber"),
            "name": record.name,
            "other": text(item, "description"),
            "register": kind.register,
        }
        if not self._still_in_severa(other):
            raise Stop("product.code_of_deleted", values)
        raise Stop("product.code_taken", values)

    def _still_in_severa(self, link: Link) -> bool:
        """Asked for just now: deletions are seen only when a register is read whole."""
        try:
            severa_now(self.delivery, link.severa_register, link.severa_id)
        except NotFound:
            return False
        return True

    def _class_of(self, kind: Kind, record: Record) -> str:
        chosen = self.delivery.books.choice("product", severa_id=record.id)
        item_class: str = chosen or getattr(self.delivery.tenant.settings, kind.setting)
        plan.class_fits(kind, item_class, self.delivery.books.all("visma_net", ITEM_CLASSES), record.name)
        return item_class

    def _look_up_item(self, asked: Json) -> Json | None:
        """What an unanswered create made, under the code that was sent."""
        code = str(unwrap(asked["inventoryNumber"]))
        return {"code": code} if self._read_item(code) is not None else None

    def _read_item(self, code: str) -> Json | None:
        try:
            return self._noted(self.delivery.erp.get(INVENTORY, code)).body
        except NotFound:
            return None

    def _noted(self, item: Stored) -> Stored:
        self.etag = item.etag
        return item

    def _link(
        self, kind: Kind, severa: Json, item: Json, code: str, *, made: str = "", again: bool = False
    ) -> None:
        """Links both and merges what differs; records that we ``made`` (the step) agree as they were stored. ``again``: an
        earlier attempt made it, and what differs from what that sent is somebody's edit (docs/decisions/0017)."""
        severa_id, item_id = text(severa, "guid"), text(item, "inventoryId")
        if not made:
            join_found(self.delivery, severa_id=severa_id, erp_id=item_id)
        before = sending.before(self.delivery, severa_id, item_id, made if again else "")
        link = Link(
            "",
            "product",
            kind.register,
            severa_id,
            # One that was renumbered since it was made is told as such (R-CUS-8).
            text(item if again else severa, "inventoryNumber" if again else "code"),
            INVENTORY,
            item_id,
            text(item, "inventoryNumber"),
            base=as_met("item_class", text(item, "itemClass.id")),
            state={sent.KEY: {"": before}},
        )
        self.after.say(code, code=link.erp_number, name=text(severa, "name"))
        # Made from each other just now: whatever differs is agreed to differ.
        sides = self._sides(link, severa, item)
        sides = replace(sides, first="ask") if made else sides
        merged = sides.merged()
        if made:
            merged = replace(merged, differs=())
        elif merged.to_erp or merged.to_severa:
            sides = self._sides(link, self._severa_now(link), self._item_now(link).body)
            merged = sides.merged()
        self._write(link, sides, merged)

    # ------------------------------------------------------------ linked

    def linked(self, link: Link) -> None:
        """Merges both sides; both are read again before anything is written."""
        severa_record, erp_record = self.delivery.severa_record, self.delivery.erp_record
        latest = latest_side(severa_record, erp_record)
        there = severa_record is not None and erp_record is not None
        if (
            severa_record is not None
            and erp_record is not None
            and not (severa_record.gone or erp_record.gone)
        ):
            seen = self._sides(link, severa_record.body, erp_record.body)
            renumbered = plan.numbers(link, severa_record.body, erp_record.body)
            of_its_kind = plan.kind_of_item(erp_record.body) is seen.kind
            # What a delivery without an end sent may be newer than what was seen last.
            if seen.merged(latest).quiet and of_its_kind and not renumbered[2] and not sent.of(link.state):
                differs = self._remember(link, seen, seen.merged(latest), renumbered)
                self._differs_stop(severa_record.name, differs)
                return
        severa = self._severa_now(link)
        item = self._item_now(link)
        sides = self._sides(link, severa, item.body)
        # A class of another type makes it another register's: nothing of this one goes on to it (R-PRD-1).
        plan.belongs(sides.kind, item.body, text(severa, "name"))
        if there and severa_record is not None and erp_record is not None:
            before = self._sides(link, severa_record.body, erp_record.body).values()
            now = sides.values()
            latest = latest_side(
                severa_record,
                erp_record,
                severa_newer=now[0] != before[0],
                erp_newer=now[1] != before[1],
            )
        self._write(link, sides, sides.merged(latest))

    def _sides(self, link: Link, severa: Json, item: Json) -> plan.Sides:
        rule = self.delivery.tenant.settings.conflict_product
        return plan.Sides(
            BY_REGISTER[link.severa_register],
            severa,
            item,
            mirror.agreed(link, rule),
            self.delivery.books.choice("product", severa_id=link.severa_id),
            own_currency(self.delivery, self.after),
            rule,
            sent=sent.of(link.state),
            old=mirror.carried_before(link),
        )

    def _severa_now(self, link: Link) -> Json:
        return mirror.in_severa(MIRROR, self.delivery, link)

    def _item_now(self, link: Link) -> Stored:
        return self._noted(mirror.in_erp(MIRROR, self.delivery, link))

    def _write(self, link: Link, sides: plan.Sides, merged: Merge) -> None:
        name = text(sides.severa, "name")
        merged, halted = pingpong.without(merged, pingpong.halted(link.state, self.delivery.now()))
        code = text(sides.erp, "inventoryNumber")
        merged, choice = mirror.class_taken_over(
            self.after, MIRROR, link, merged, "item_class", sides.choice, told={"code": code, "name": name}
        )
        sides = replace(sides, choice=choice)
        self._class_fits(sides, merged, name)
        sending.merged(self.delivery, link, sides, merged)
        item, lost_erp = self._to_erp(sides, merged, name)
        merged = without_fields(merged, lost_erp)
        self.after.see("visma_net", INVENTORY, link.erp_id, item)
        severa, lost_severa = self._to_severa(link, sides, merged)
        merged = without_fields(merged, lost_severa)
        self.after.see("severa", link.severa_register, link.severa_id, severa)
        if sides.foreign_price:
            say_foreign_price(self.after, sides, name)
        renumbered = plan.numbers(link, severa, item)
        met = mirror.met_by_link(link, merged)
        others = tuple(one for one in merged.differs if one.field not in met)
        told(self.after, "product", name, replace(merged, differs=others))
        differs = self._remember(link, sides.with_bodies(severa, item), merged, renumbered, met)
        must_stand(self.delivery, self.after, lost_erp, system="visma_net", name=name)
        must_stand(self.delivery, self.after, lost_severa, system="severa", name=name)
        if merged.asked:
            raise self.after.stop("product.conflict", name=name, fields=pairs(merged.asked))
        if halted:
            raise self.after.stop("product.ping_pong", name=name, fields=list(halted))
        if renumbered[2]:
            raise self.after.stop(
                "product.renumbered",
                name=name,
                code=text(severa, "code"),
                erp_code=text(item, "inventoryNumber"),
                linked_code=link.erp_number,
            )
        self._differs_stop(name, differs)

    def _class_fits(self, sides: plan.Sides, merged: Merge, name: str) -> None:
        wanted = merged.to_erp.get("item_class")
        if wanted is not None:
            plan.class_fits(sides.kind, wanted, self.delivery.books.all("visma_net", ITEM_CLASSES), name)

    def _to_erp(self, sides: plan.Sides, merged: Merge, name: str) -> tuple[Json, tuple[str, ...]]:
        """The item as it stands afterwards, and what was answered with a yes and is not shown."""
        members = plan.erp_members(sides, merged)
        if not members:
            return sides.erp, ()
        number = text(sides.erp, "inventoryNumber")
        self.delivery.erp.update(INVENTORY, number, update_body(members), etag=self.etag)
        item = self.delivery.erp.get(INVENTORY, number).body
        lost = untaken(merged.to_erp, sides.values()[1], replace(sides, erp=item).values()[1])
        if taken := without_fields(merged, lost).to_erp:
            self.after.say("product.updated_in_erp", code=number, name=name, fields=fields_named(taken))
        return item, lost

    def _to_severa(self, link: Link, sides: plan.Sides, merged: Merge) -> tuple[Json, tuple[str, ...]]:
        """The Severa record as it stands afterwards, and what was answered with a yes and is not shown."""
        members = plan.severa_members(sides, merged)
        if not members:
            return sides.severa, ()
        severa = self.delivery.severa.patch(link.severa_register, link.severa_id, patch(members))
        lost = untaken(merged.to_severa, sides.values()[0], replace(sides, severa=severa).values()[0])
        if taken := without_fields(merged, lost).to_severa:
            self.after.say(
                "product.updated_in_severa",
                code=text(severa, "code"),
                name=text(severa, "name"),
                fields=fields_named(taken),
            )
        return severa, lost

    def _differs_stop(self, name: str, differs: tuple[Difference, ...]) -> None:
        """Raises Stop ``product.met_differently``: both met with different values, and a person must decide (R-CON-1)."""
        if differs:
            raise self.after.stop("product.met_differently", name=name, fields=pairs(differs))

    def _remember(
        self,
        link: Link,
        stored: plan.Sides,
        merged: Merge,
        renumbered: tuple[str, str, bool],
        met: Mapping[str, list[str]] | None = None,
    ) -> tuple[Difference, ...]:
        """Writes the link; what a person is still asked about since both met."""
        ours, theirs = stored.values()
        severa_number, erp_number, _ = renumbered
        differs = mirror.still_asked(link.state, met or {}, ours, theirs)
        base = settled_base(link.base, merged, ours, theirs)
        state = mirror.asking(mirror.settled(link.state, stored.rules(), base), differs)
        self.after.link = link.with_(
            severa_number=severa_number,
            erp_number=erp_number,
            base=base,
            state=pingpong.noted(
                state, self.delivery.now(), to_erp=merged.to_erp, to_severa=merged.to_severa
            ),
        )
        return differs
