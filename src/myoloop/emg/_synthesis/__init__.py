"""EMG from action potentials and spikes: blocks, jitter, change over time."""
