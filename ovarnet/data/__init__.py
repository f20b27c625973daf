"""Images and annotation files: each loader yields `Annotations` and counts what it skipped. Nothing
here imports `modeling`.
"""
