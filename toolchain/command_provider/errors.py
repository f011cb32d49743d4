"""The errors of the stand-in.

CommandFailed    a command, a connection or a copy failed; the text is the official plugin's
"""


class CommandFailed(Exception):
    """A command, a connection or a copy failed; the text goes to the person as it is."""
