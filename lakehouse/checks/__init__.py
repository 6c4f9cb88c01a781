"""What must hold of rows and of whole frames, as data with reasons."""
