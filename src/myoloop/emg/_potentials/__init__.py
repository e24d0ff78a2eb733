"""Action potentials: their source, their sum over fibres, their velocity."""
