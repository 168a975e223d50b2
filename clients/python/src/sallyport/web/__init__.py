"""What the guards of all frameworks have in common: credentials, verdicts and answers, without a framework and without waiting."""
