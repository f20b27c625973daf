"""Images and annotation files: every reader yields `Annotations` and notes what it leaves out."""
