"""`make pin`: rows of a lock table from what the publishers themselves say about their files.

`releases.py` knows where each publisher keeps a release and its checksums, `proof.py` finds a file's checksum and how
far it can be trusted, `signatures.py` calls the programs that verify, `rows.py` changes the table.
"""
