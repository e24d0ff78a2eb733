"""Online use: known units in EMG as it comes, and units that move."""
