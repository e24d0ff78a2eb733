"""Muscles with their surroundings, one file each."""
