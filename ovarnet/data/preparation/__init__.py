"""`ovarnet prepare`: one file per dataset, each with `prepare(root, splits, sample, findings)`.

root: the dataset's folder. splits: which of its splits. sample: how many images to decode. All
findings go to `findings` (`ovarnet.data.preparation.findings`). Nothing is downloaded, originals
are never changed, and doing it again writes the same files.
"""
