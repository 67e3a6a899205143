"""What people do with projects: members, tokens, integrations and what is stored about recipients."""
