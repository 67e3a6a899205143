"""What PostgreSQL may write into its log, on AWS and on one machine alike."""

# Statements come with their values, and these are messages, addresses and rows: PostgreSQL says that one failed, and
# neither which (STATEMENT) nor with what (DETAIL, CONTEXT). Its log goes to CloudWatch, where more people read than
# in the database.
POSTGRES_LOGS = {
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
