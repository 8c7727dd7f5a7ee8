"""PostgreSQL: the rows of designs and templates, and the server that is embedded by default."""
