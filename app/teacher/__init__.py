"""The Teacher page: samples written by a strong model."""
