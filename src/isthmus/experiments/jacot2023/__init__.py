"""Jacot, Implicit Bias of Large Depth Networks: a Notion of Rank for Nonlinear Functions (ICLR 2023)."""
