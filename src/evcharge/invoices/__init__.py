"""Tax documents: invoices, vouchers, credit notes; numbered without gaps."""
