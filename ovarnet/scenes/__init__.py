"""The generated world: its renderer, the chain of stages on it, ablations and reports.

The method does not depend on it; without this folder everything else works.
"""
