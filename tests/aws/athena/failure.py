"""How a query ends FAILED."""


class QueryFailure(Exception):
    """A query's end with Athena's reason.

    Categories are 1 system, 2 user, 3 other; types are those of Athena's error catalogue.
    """

    def __init__(self, reason, error_type, category=2, retryable=False):
        super().__init__(reason)
        self.reason = reason
        self.error_type = error_type
        self.category = category
        self.retryable = retryable

    def shown(self):
        return {
            "ErrorCategory": self.category,
            "ErrorType": self.error_type,
            "Retryable": self.retryable,
            "ErrorMessage": self.reason,
        }


class Malformed(Exception):
    """A statement that Athena refuses before it starts."""


USER, DATA, DDL, SCHEMA, SYNTAX, REJECTED = 1000, 1001, 1003, 1004, 1006, 1008
CANCELLED, NO_TABLE, NOT_SUPPORTED, NO_BUCKET = 1011, 1110, 1200, 1306
