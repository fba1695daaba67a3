"""Every long-lived connection: live hints to browsers, later chargers."""
