"""pqlkit: find which behaviour in a product says that a free user is about to pay."""
