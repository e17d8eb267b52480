"""Architectures only: no loss, no optimiser."""
