"""Routes: what each path of the endpoint does, one file per kind, and how every request ends."""
