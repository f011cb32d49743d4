"""Tasks: what the proxy does around one call to a model, one file per kind of body.

A task prepares a body into the arrays of a call and, with them, the way to read what comes back.  Both parts are pure
and take milliseconds of one core, so they run off the event loop.
"""
