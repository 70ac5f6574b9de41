"""Signing calls and URLs."""
