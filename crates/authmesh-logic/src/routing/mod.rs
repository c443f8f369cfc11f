//! Which service and operation a request is for.
