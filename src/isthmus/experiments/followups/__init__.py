"""Papers that followed Jacot (2023): what they state, on networks that are trained here."""
