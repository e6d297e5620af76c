-- One clock (docs/never-twice.md rule 22): every time the bridge compares comes from bridge_now(). A simulation replaces this one
-- function; a lint keeps now() and clock_timestamp() out of everything else.

create function bridge_now() returns timestamptz language sql volatile parallel safe as $$ select clock_timestamp() $$;

do $$
declare c record;
begin
    for c in
        select d.adrelid::regclass as tab, a.attname as col
        from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
        join pg_class t on t.oid = d.adrelid join pg_namespace n on n.oid = t.relnamespace
        where n.nspname = current_schema() and t.relname <> 'schema_migrations'
          and pg_get_expr(d.adbin, d.adrelid) = 'clock_timestamp()'
    loop
        execute format('alter table %s alter column %I set default bridge_now()', c.tab, c.col);
    end loop;
end $$;

-- As it was, on the one clock.
create or replace function make_partitions(ahead integer) returns integer
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    made integer := 0;
    base record;
    start timestamptz;
    stop timestamptz;
    part text;
begin
    for base in select * from (values ('transfer_log', 'month'), ('audit_log', 'month'), ('payload', 'day')) as b (name, period) loop
        for i in 0 .. ahead loop
            start := date_trunc(base.period, bridge_now() at time zone 'utc') at time zone 'utc' + i * ('1 ' || base.period)::interval;
            stop := start + ('1 ' || base.period)::interval;
            part := base.name || to_char(start at time zone 'utc', '_YYYYMMDD');
            if to_regclass(part) is null then
                begin
                    execute format('create table %I partition of %I for values from (%L) to (%L)', part, base.name, start, stop);
                    made := made + 1;
                exception when check_violation then
                    -- rows of this period already stand in the default partition: they stay there
                    null;
                end;
            end if;
        end loop;
    end loop;
    return made;
end $$;
