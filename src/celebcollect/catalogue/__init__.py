"""The catalogue of people and pictures: interface, SQLite, MongoDB; and the image folder."""
