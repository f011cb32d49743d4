"""Pages: what people see of the proxy, and the description that other programs read."""
