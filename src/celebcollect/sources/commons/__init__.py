"""Wikimedia Commons: licensed photographs."""
