"""A run, or several, as one HTML page that refers to nothing outside itself."""
