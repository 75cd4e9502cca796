"""Recovery and coverage: models fitted to many draws from a known truth, by one command (`make study`)."""
