"""Access: who may ask, how much of it, over which connections."""
