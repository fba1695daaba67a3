"""Who people are: drivers, operators, admins; their logins and what each may do."""
