"""Faces in a picture: engines that find and embed them. Knows nothing of the catalogue."""
