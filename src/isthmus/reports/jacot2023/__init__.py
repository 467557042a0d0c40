"""Figures of the replayed experiments of Jacot (ICLR 2023); each file reads the record of one of them."""
