"""Loss terms as plain functions, and the assignment of boxes to anchors and regions.

Every loss is a scalar; it is exactly 0, with a gradient of 0, where nothing is supervised.
"""
