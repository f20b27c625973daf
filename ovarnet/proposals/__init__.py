"""Where boxes come from: detectors, files, and stored proposals."""
