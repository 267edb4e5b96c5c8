"""Google Images: a source of pictures that needs a real browser."""
