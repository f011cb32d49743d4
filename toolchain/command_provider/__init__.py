"""A stand-in for the plugin `pulumi-resource-command`, for machines where the official one cannot be had.

`provider.py` answers the engine; `local.py` and `remote.py` run commands, `copy_to_remote.py` copies files. The README
beside this file lists what is the same as in the official plugin and what is not.
"""
