"""The embedding workbench: give it vectors, and it shows what they give away."""
