"""Stands in for torch while pip runs difflogic's setup.py, which asks for a CUDA compiler."""
