"""The backend: the servers of one model, and what they tell of it."""
