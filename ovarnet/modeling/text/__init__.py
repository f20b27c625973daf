"""The text side: prompts, the text tower, the classifier of region embeddings, the linear probe."""
