"""The only room with a key to Delta: reading, writing, manifests, verification."""
