"""Electrodes: layouts on the skin and within the muscle, spatial filters."""
