"""Reading and writing files: atomic writes, JSON streams, images, results."""
