-- look --
-- The server's identity and timeline against those of the last writer.
select i.writes, i.system_identifier <> s.system_identifier::text as moved, i.timeline <> c.timeline_id as rewound
from installation i, pg_control_system() s, pg_control_checkpoint() c

-- stop --
-- Another server: nobody settles anything until a person says that the original is gone.
update installation set writes = 'off'

-- adopt --
update installation i set writes = 'on', system_identifier = s.system_identifier::text, timeline = c.timeline_id, adopted_at = bridge_now()
from pg_control_system() s, pg_control_checkpoint() c

-- forget_marks --
-- Every register is read whole again: what was created after the backup must be seen before anything is created.
update stream set watermark = null, complete_at = null, swept_at = null
