"""The report of the chain: one folder, report.html and its pictures."""
