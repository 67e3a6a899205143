"""Redis or Valkey: the index of what is due soon. Safe to lose."""
