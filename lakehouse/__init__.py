"""The royalty lakehouse: from DSP usage and sales reports to royalty statements that anyone can verify."""

__version__ = "0.1.0"
