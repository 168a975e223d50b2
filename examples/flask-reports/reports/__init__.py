"""Reports on Flask, whose logins, sessions, CSRF checks, API keys, tokens and permissions are Sallyport's."""
