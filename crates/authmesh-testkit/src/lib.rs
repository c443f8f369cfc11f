//! What the tests of Authmesh share.
