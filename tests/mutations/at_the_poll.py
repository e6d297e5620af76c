"""Protections of reading: which database, which order, how far the mark, what is let through."""

from __future__ import annotations

from mutations.mutation import Edit, Mutation, of

EPOCH = "db/migrations/0008_epoch.sql"
RECORDS = "db/queries/records.sql"
STREAMS = "db/queries/streams.sql"
POLLING = "domain/polling.py"
A = "tests/integration/test_adopt.py::"
O = "tests/integration/test_polling_order.py::"  # noqa: E741
R = "tests/integration/test_polling_readings.py::"
U = "tests/unit/domain/test_polling.py::"
OTHER = A + "test_nothing_is_taken_claimed_or_begun_in_another_database"

MUTATIONS: tuple[Mutation, ...] = (
    of("epoch-row", "10, S7, S24", "A row that was written by a restore is another database", EPOCH,
       "              and i.xmin = i.written_by::xid\n", "", OTHER + "[written by a restore]"),
    of("epoch-start", "10, S25", "A server started anew is asked what it remembers", EPOCH,
       "              and i.started_at = pg_postmaster_start_time()\n", "", OTHER + "[started anew, and nobody remembers]"),
    of("epoch-database", "10, S7", "Another database of the server is another one", EPOCH,
       "              and i.database_oid = (select d.oid from pg_database d where d.datname = current_database())\n", "",
       OTHER + "[brought into another database]"),
    of("epoch-timeline", "10", "Another timeline is another history", EPOCH, "              and i.timeline = bridge_timeline()\n", "",
       OTHER + "[on another timeline]"),
    of("epoch-server", "10", "Another server is another database", EPOCH,
       "              and i.system_identifier = (select c.system_identifier::text from pg_control_system() c));", "             );",
       OTHER + "[brought from another server]"),
    of("epoch-writes", "10", "Writes that are off are off", EPOCH, "            where i.writes = 'on'\n", "            where true\n",
       OTHER + "[switched off]"),
    of("epoch-leases", "10", "A new epoch voids leases and messages", EPOCH, "    perform bridge_void_leases();\n", "",
       A + "test_a_new_epoch_voids_what_the_lost_future_holds"),
    of("epoch-quiet", "10, S26", "No reading within the quiet time opens a tenant", STREAMS,
       "  and coalesce(epoch_at, '-infinity') < bridge_now()\nreturning", "returning",
       A + "test_only_a_reading_that_began_after_the_quiet_time_opens_a_tenant"),
    of("epoch-read", "10, S26", "Both registers are read to the end first", EPOCH,
       "where c.tenant_id = t.id and c.epoch_at is not null and", "where false and",
       A + "test_only_a_reading_that_began_after_the_quiet_time_opens_a_tenant", A + "test_both_connections_must_have_been_read"),
    of("clock-steady", "22, S30", "Nothing is claimed while the clock has stepped", EPOCH, " and (select bridge_steady())\n", "\n",
       A + "test_while_the_clock_is_unsteady_nothing_is_taken_or_claimed_whatever_the_time_is"),
    of("clock-pause", "22, S30", "A step frees nothing for a lease and a settle time", "app/keeper.py",
       "        if step or (not steady and self._pause_ends is None):", "        if False:",
       "tests/integration/test_keeper.py::test_a_step_frees_nothing_and_claims_nothing_until_a_lease_and_a_settle_time_have_passed"),
    of("order-by-request", "13, S12", "A state replaces another only if it was asked for after that was answered", POLLING,
       "    if stored.answered_at <= new.asked_at or stored.answered_at > now:\n", "    if True:\n",
       U + "test_one_state_is_newer_only_if_it_was_asked_for_when_the_other_had_been_answered"),
    of("order-late-page", "13, S36", "A page that is stored late does not undo what was written meanwhile", RECORDS,
       "where record.version = %(seen_version)s and (record.answered_at <= excluded.asked_at or record.answered_at > bridge_now())\n",
       "where true\n",
       O + "test_a_delivery_that_ends_between_the_comparison_and_the_write_of_a_page_is_not_undone"),
    of("order-own", "13, S36", "Our own older answer does not replace what was polled", RECORDS,
       "where record.answered_at > bridge_now() or excluded.answered_at > record.asked_at\n", "where true\n",
       O + "test_our_own_answer_that_is_older_than_the_polled_state_changes_nothing"),
    of("mark-overlap", "issue: unseen in 0.1.0", "Changes are asked for from before the mark", POLLING,
       "stream.unsure_since or stream.watermark) - pace.overlap", "stream.unsure_since or stream.watermark)",
       U + "test_changes_are_asked_for_from_before_the_mark"),
    of("mark-first-answer", "13, S13", "The mark is never later than the first answer", POLLING, "return min(max(stamps), mark_at)",
       "return max(stamps)", U + "test_the_mark_is_never_later_than_the_first_answer",
       O + "test_what_changes_while_a_long_reading_is_under_way_is_asked_for_in_the_next_poll"),
    of("mark-complete", "issue: unseen in 0.1.0", "The mark moves only when a reading is complete", "app/reading.py",
       "            if ended and not again:\n                more = self._conclusion.finish(db, task, task.reading)\n",
       "            self._conclusion.move_mark(db, task, newest, mark_at, whole=False)\n            if ended and not again:\n                more = self._conclusion.finish(db, task, task.reading)\n",
       O + "test_the_mark_stands_after_a_reading_that_was_cut"),
    of("mark-left-out", "13", "The mark stays where rows were left out", POLLING, "    if left_out or not stamps:\n",
       "    if not stamps:\n", U + "test_the_mark_stays_where_rows_were_left_out"),
    of("page-lease", "13", "A poll without its lease writes nothing", "app/turn.py", "            if anchor is None:\n                raise LeaseLost\n            self.anchor = anchor\n",
       "            self.anchor = anchor or self.anchor\n", R + "test_a_poll_that_lost_its_lease_writes_nothing_more"),
    Mutation("absence-by-request", "13, S35", "What somebody had an answer about since the reading began is not missing", (
        Edit(RECORDS, "(reading_id is null or reading_id < %(reading_id)s) and answered_at < %(began_at)s\n\n-- next_missing --",
             "(reading_id is null or reading_id < %(reading_id)s)\n\n-- next_missing --"),
        Edit(RECORDS, "(reading_id is null or reading_id < %(reading_id)s) and answered_at < %(began_at)s\norder by id limit",
             "(reading_id is null or reading_id < %(reading_id)s)\norder by id limit"),
        Edit(RECORDS, "(reading_id is null or reading_id < %(reading_id)s) and answered_at < %(began_at)s\nreturning id",
             "(reading_id is null or reading_id < %(reading_id)s)\nreturning id")),
        (O + "test_a_record_made_while_its_register_is_swept_is_not_missing",)),
    of("absence-whole", "11", "Absence is shown only by a whole reading without a gap", POLLING,
       "return self.whole and self.completed_at is not None and not self.left_out and not self.unreadable", "return self.whole",
       U + "test_absence_is_shown_only_by_a_whole_reading_without_a_gap"),
    of("short-list", "11, S10", "A short list concludes no absence", "app/polling.py", "        if isinstance(end, ShortList):\n            self._conclusion.short(task, end)\n            raise end\n",
       "        if isinstance(end, ShortList):\n            self._conclusion.end_without_page(task)\n            return\n",
       R + "test_a_short_list_takes_what_came_and_concludes_nothing_from_what_did_not"),
    of("brake-held-back", "16", "Changes of registers that people keep wait for the end of their reading", POLLING,
       "    return not BRAKED.isdisjoint(domains(register, [body]))", "    return False",
       R + "test_a_mass_change_is_stored_at_once_and_nobody_is_told"),
    of("brake-dead", "16, S15", "A mass change in parts is one", "app/braking.py",
       "Count(found.known, found.changed + earlier, found.missing, reading.rows)", "Count(found.known, found.changed, found.missing, reading.rows)",
       R + "test_a_mass_change_in_parts_is_one"),
    of("brake-shown", "16", "Resume lets through what was shown", "app/braking.py", "        if not agreed:\n", "        if False:\n",
       R + "test_more_than_was_shown_is_not_let_through"),
    of("reading-goes-on", "16, S40", "A reading goes on where it stopped", POLLING,
       "return reading.position is not None and now - reading.began_at < GOES_ON", "return False",
       U + "test_a_reading_goes_on_for_an_hour_where_its_connector_can"),
    of("identity-severa", "issue 10", "A Severa organisation is one tenant's", "db/migrations/0011_identity.sql",
       "create unique index identity_severa", "create index identity_severa",
       "tests/integration/test_migrations.py::test_migrations_make_exactly_what_schema_sql_says"),
)  # fmt: skip
