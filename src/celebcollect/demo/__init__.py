"""A small web of our own on 127.0.0.1, to show the whole pipeline offline."""
