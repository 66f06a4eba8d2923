"""Checks docker-compose.yml and the files it names, as far as a machine without a container engine allows."""
