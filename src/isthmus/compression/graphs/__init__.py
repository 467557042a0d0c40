"""Graphs that branch or convolve: their stretches are compressed, the rest is copied."""

from isthmus.compression.graphs.compressed_graph import CompressedGraph, checked_graph_target
from isthmus.compression.graphs.procedure import compress_graph

__all__ = ["CompressedGraph", "checked_graph_target", "compress_graph"]
