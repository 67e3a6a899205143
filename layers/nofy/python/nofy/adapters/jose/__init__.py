"""Tokens by JOSE: making and signing them, and the keys to check them with. PyJWT is loaded for the first one."""
