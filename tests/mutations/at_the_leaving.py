"""Protections of a tenant that leaves, and of the one that is added again after it."""

from __future__ import annotations

from mutations.mutation import Edit, Mutation, of

LEAVING = "db/queries/leaving.sql"
CLAIM = "db/queries/claim.sql"
STREAMS = "db/queries/streams.sql"
TABLES = "db/tables.py"
SERVICE = "app/leaving.py"
D = "tests/integration/test_leaving.py::"
LET = D + "TestNothingIsLetThrough::"
OVER = D + "TestWhatHasToBeOver::"
LINES = D + "TestTheTablesThemselves::"
E = "tests/integration/test_erasing.py::"
IN_EVERY_ORDER = "tests/isolation/test_leaving.py::"
S = "tests/simulation/schedules/test_leaving.py::"
STAYS = "  and exists (select from tenant t where t.id = connection.tenant_id and t.state not in ('leaving', 'erasing'))\n"
STEPS = "  and not exists (select from step s where s.tenant_id = t.id and s.sent_at is not null and s.settles_at > bridge_now())\n"
WAITS = "where tenant_id = %(tenant_id)s and sent_at is not null and settles_at > bridge_now()) s"

MUTATIONS: tuple[Mutation, ...] = (
    of("leave-claim-lock", "23, S46", "A claim asks whether the tenant is leaving behind a lock of its row", "db/claim.py",
       '    db.execute(SQL["claim.tenant"], values)\n', "",
       IN_EVERY_ORDER + "test_a_claim_is_committed_before_or_sees_that_the_tenant_is_leaving"),
    of("leave-poll-lease", "23", "Who has a tenant leave takes the leases of its polls", LEAVING,
       "update connection set poll_token = null, poll_lease_until = null where", "update connection set asked_at = asked_at where",
       IN_EVERY_ORDER + "test_a_page_of_a_poll_is_committed_before_or_refused"),
    of("leave-order", "2, 23", "Who has a tenant leave locks as a poll does: its connections, then the tenant", "db/leaving.py",
       '    db.execute(SQL["leaving.stop_polls"])\n    return db.execute(SQL["leaving.leave"]).fetchone() is not None\n',
       '    left = db.execute(SQL["leaving.leave"]).fetchone() is not None\n    db.execute(SQL["leaving.stop_polls"])\n    return left\n',
       IN_EVERY_ORDER + "test_whoever_changes_the_tenant_and_whoever_looks_at_it_never_wait_crosswise"),
    of("leave-page", "23", "No page of a leaving tenant is stored, lease or not", STREAMS,
       f"and poll_token = %(token)s and poll_lease_until > bridge_now()\n{STAYS}",
       "and poll_token = %(token)s and poll_lease_until > bridge_now()\n",
       LET + "test_a_poll_whose_lease_was_being_taken_stores_no_page_either"),
    of("leave-lease-one", "23", "No poll of a leaving tenant is leased by hand", STREAMS, f"{STAYS}  and coalesce(epoch_at",
       "  and coalesce(epoch_at", LET + "test_a_poll_under_way_stores_no_further_page_and_none_is_due"),
    of("leave-announce", "23", "Nothing of a leaving tenant is announced but by an ending delivery", "db/queries/outbox.sql",
       "(t.state not in ('leaving', 'erasing')\n                  or %(cause)s::text in ('followed', 'seen', 'waited for'))", "true",
       LET + "test_nobody_announces_anything"),
    of("leave-state", "23", "A delivery that pauses its tenant, or a go-live, does not bring it back", "db/queries/tenants.sql",
       "where id = %(tenant_id)s and state <> 'erasing' and (state <> 'leaving' or %(stays)s)", "where id = %(tenant_id)s and (true or %(stays)s)",
       LET + "test_nothing_but_a_persons_word_brings_it_back_and_nothing_ends_an_erasure"),
    of("erase-leased", "23, S46", "Nothing is erased while a lease stands, over or not", LEAVING,
       "  and not exists (select from matter m where m.tenant_id = t.id and m.lease_until is not null)\n", "",
       OVER + "test_a_lease_that_is_over_is_taken_back_without_a_relay_and_permits_nothing"),
    of("erase-settle", "23, S46", "Nothing is erased before every settle time is over", LEAVING, STEPS, "",
       OVER + "test_a_delivery_under_way_is_waited_for_and_then_its_call"),
    Mutation("erase-settle-waits", "23, S46", "A create that is out when its tenant is erased is waited for",
             (Edit(LEAVING, STEPS, ""), Edit(LEAVING, WAITS, f"{WAITS[:-3]} and false) s")),
             (S + "test_a_create_that_was_out_when_its_tenant_was_erased_is_not_made_again",)),
    Mutation("erase-settle-answered", "23, S46", "An answered create is waited for until it must show",
             (Edit(LEAVING, STEPS, STEPS.replace("s.sent_at is not null", "s.sent_at is not null and s.done_at is null")),
              Edit(LEAVING, WAITS, f"{WAITS[:-3]} and done_at is null) s")),
             (OVER + "test_a_call_that_was_answered_is_waited_for_until_what_it_made_must_show",
              S + "test_what_a_delivery_had_begun_is_taken_up_by_the_tenant_that_is_added_again")),
    of("erase-unsteady", "22, 23", "No time is over while the clock is unsteady, and nothing is erased in another database", LEAVING,
       "  and bridge_steady() and bridge_epoch() is not null\n", "",
       OVER + "test_while_the_clock_is_unsteady_no_lease_and_no_settle_time_is_over",
       OVER + "test_nothing_is_erased_in_a_database_that_may_not_be_the_one"),
    of("erase-quiet", "10, 23", "What a lost future sent is waited for", LEAVING,
       "  and not exists (select from installation i where i.quiet_until > bridge_now())\n", "",
       OVER + "test_the_quiet_time_after_a_restore_is_waited_for"),
    of("erase-served", "6, 23, S46", "A tenant of a pair that was served before begins as after a restore", CLAIM,
       "(select max(c.epoch_at) from connection c where c.tenant_id = m.tenant_id)", "(select i.epoch_at from installation i)",
       S + "test_what_a_delivery_had_begun_is_taken_up_by_the_tenant_that_is_added_again",
       S + "test_a_document_whose_note_was_written_over_before_its_tenant_was_erased_is_a_doubt"),
    of("erase-policy", "4, 23", "The tables let nothing be deleted but by an erasure", "db/migrations/0015_leaving.sql",
       "and e.state = ''erasing''))", "and e.state <> ''''))",
       LINES + "test_nothing_of_them_is_deleted_but_by_an_erasure"),
    of("erase-policy-tenant", "4, 23", "A tenant is deleted by nothing but an erasure", "db/migrations/0015_leaving.sql",
       "using (state = 'erasing')", "using (true)", LINES + "test_nothing_of_them_is_deleted_but_by_an_erasure"),
    of("erase-every-table", "R-OPS-5", "Every table with a tenant in it is erased", TABLES,
       '    Table("choice", ("domain", "system", "record_id")),\n', "", E + "test_every_table_of_a_tenant_is_erased_and_exported"),
    of("erase-joined-first", "R-OPS-5", "A matter that points at another one goes before it", TABLES,
       '    Table("matter", ("id",), only="joined_into is not null"),\n', "", E + "test_everything_of_a_tenant_goes_and_nothing_of_another"),
    of("erase-secrets", "R-OPS-5", "No secret is exported", TABLES, ', frozenset({"secret", "token", "poll_token"})', "",
       E + "test_the_export_holds_every_row_and_no_secret"),
    of("erase-payloads", "R-OPS-5", "What a late worker heard of an erased tenant is not kept", "db/queries/attempts.sql",
       "and a.id = %(attempt_id)s for key share of a", "limit 1",
       LINES + "test_the_ending_of_an_attempt_that_is_not_there_writes_nothing"),
    of("erase-audit", "R-OPS-5", "No line is written of a tenant that is going", "db/queries/tenants.sql",
       " and t.state <> 'erasing' for key share of t", "", LINES + "test_of_a_tenant_that_is_going_no_line_is_written"),
    of("erase-doubt", "9, 23", "A doubt is said before a tenant leaves", SERVICE, "    if doubts and not anyway and tenant.state", "    if not doubts and tenant.state",
       E + "test_what_nobody_would_look_after_is_said_and_asks_for_a_word"),
    of("erase-left-behind", "23", "What nobody would look after any more asks for a word", SERVICE, "    if left and not anyway:\n", "    if not anyway and not left:\n",
       E + "test_what_a_delivery_left_when_the_tenant_was_leaving_is_said_and_the_tenant_may_stay"),
    of("erase-late-rows", "R-OPS-5", "What comes in while the last rows go goes with them", SERVICE,
       "        except psycopg.errors.ForeignKeyViolation:\n", "        except ZeroDivisionError:\n",
       E + "test_what_comes_in_while_the_last_rows_go_goes_with_them"),
    of("erase-stopped", "R-OPS-5", "Ctrl-C ends a wait, dropped in a callback or not", "app/cli/common.py", "        stop.set()\n", "",
       E + "test_a_wait_that_lost_its_ctrl_c_ends_at_the_next_look"),
    of("embedded-died", "R-OPS-5", "A server that died after it was found running is started anew", "app/embedded.py",
       "    while True:\n        host = quote(server.start(), safe=\"/\")\n",
       "    host = quote(server.start(), safe=\"/\")\n    while True:\n",
       "tests/integration/test_embedded.py::test_a_server_that_dies_after_it_was_found_running_is_started_anew"),
)  # fmt: skip
