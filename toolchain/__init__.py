"""Give the program an engine, plugins and the lab's artifacts, wherever it runs.

Read `steps.py` first: it lists what `python -m toolchain setup` does, in order.
"""
