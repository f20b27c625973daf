"""The generated world: its renderer, the training chain on it, ablations and reports. The method
does not depend on it.
"""
