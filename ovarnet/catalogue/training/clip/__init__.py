"""Stage "catalogue_clip": continued contrastive training of a CLIP on a catalogue."""
