"""Linking records by what they say: layouts read, candidates keyed, fields compared by level, levels weighed."""
