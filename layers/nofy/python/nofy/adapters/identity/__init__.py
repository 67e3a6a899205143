"""Who vouches for people: AppWrite by asking it, an OIDC issuer by its published keys."""
