"""Editing of a decomposition by hand, and the same units in several recordings."""
