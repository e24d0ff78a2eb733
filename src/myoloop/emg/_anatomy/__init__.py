"""Fibres: where they lie, how thick and fast they are, which unit and endplate they have."""
