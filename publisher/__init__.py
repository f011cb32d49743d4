"""Give a model the signatures that need the fewest bytes: pixels or JPEG files in, boxes or the likeliest classes out.

`python -m publisher --model FOLDER --out FOLDER` runs on the operator's machine, with TensorFlow; docs/publisher.md
says what it writes. It shares with the proxy the card (`proxy.card`) and the names (`proxy.signature_names`), so that
both mean the same by them.
"""
