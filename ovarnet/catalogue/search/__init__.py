"""The search index over product vectors."""
