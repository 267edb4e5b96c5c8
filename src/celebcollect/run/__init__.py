"""`run-all`: rounds over people, their progress, and who is short of pictures."""
