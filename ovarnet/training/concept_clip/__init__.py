"""Stage "concept_clip": a photo CLIP from an ImageNet classifier and a sentence encoder."""
