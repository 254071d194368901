"""Peers and assay side by side: the same bytes, the same machine, the same run."""
