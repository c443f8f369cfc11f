//! Who may take requests: one pure function of independent facts.
