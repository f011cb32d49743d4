"""Telemetry: what the proxy tells of the requests it answers."""
