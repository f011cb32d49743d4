"""The four models of the source paper as SavedModels: true in shape and in work, with random weights.

What they answer means nothing. Their graphs have the layers, the sizes and the bytes of the real ones, so times and
traffic are those of the real ones too. `python -m experiments.paper_models` makes them once.
"""
