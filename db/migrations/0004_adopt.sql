-- A restored or cloned database is noticed and adopted by the dispatcher, which then has every register read anew.
grant update (watermark, complete_at, swept_at) on stream to bridge_dispatch;
