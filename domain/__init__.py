"""What the bridge knows about invoices, customers and ledgers. Pure: time, ids and both systems come in as arguments."""
