-- One clock: every lease, pause and permission is reckoned by the database, and a simulation can put another clock in here.
create function bridge_now() returns timestamptz language sql volatile parallel safe as $$ select clock_timestamp() $$;
