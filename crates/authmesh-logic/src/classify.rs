//! What an answer says of the dependency that gave it.
