"""myoloop: simulate the neuromuscular system and close the loop on it."""
