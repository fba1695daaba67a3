"""Who supplies under which GSTIN, and what tax a supply bears."""
