"""``ovarnet prepare``: one file per dataset, each with ``SPLITS`` and a function `prepare`.

``prepare(root, splits, sample, findings)`` checks the dataset in the folder `root`, of which only
`splits`, decodes `sample` of its images, and reports to `findings`
(`ovarnet.data.preparation.findings`). Nothing is downloaded, original files are never changed, and
running it again writes the same files.
"""
