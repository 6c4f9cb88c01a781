"""Answers to questions about the lake, in the shapes of the command line: read only, no JVM."""
