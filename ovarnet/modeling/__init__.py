"""The models of the paper, a file per box of its figure. Nothing here imports `data` or
`training`.
"""
