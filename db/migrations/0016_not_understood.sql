-- How many polls in a row could not understand a register's answers, whichever process polled.
alter table stream add column not_understood integer not null default 0;
