"""Blind source separation."""
