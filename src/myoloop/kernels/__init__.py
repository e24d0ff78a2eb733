"""Compiled-kernel machinery that the engine and the models share."""
